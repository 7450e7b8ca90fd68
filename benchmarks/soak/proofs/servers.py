"""The local cloud's servers below broken messages and hostile clients."""

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from benchmarks.servers import agreement, hostile
from benchmarks.servers.good import Answers, asking, dns_client, https_client
from benchmarks.servers.hostile import Victims
from benchmarks.servers.packets import UdpAsker, ask_over_tcp, make_packet, problems
from benchmarks.soak.processes import held_by
from benchmarks.soak.proof import Figures, Proof, Run
from benchmarks.sweep import stages
from deploytool.localcloud import lifecycle
from deploytool.localcloud.state import State

SPEED = 10.0
PACKETS, QUICK_PACKETS = 20_000, 600
TCP_EVERY = 20  # every nth packet goes over TCP too
QUESTIONS, QUICK_QUESTIONS = 1000, 60
ATTACK, QUICK_ATTACK = 10.0, 1.0  # seconds of each kind of hostile clients
DNS_INTERVAL, HTTPS_INTERVAL = 0.02, 0.1  # seconds between two questions of a good client
SLOWEST = 0.05  # seconds within which 99 of 100 answers must come; in a full run
MORE_MEMORY_MB = 50.0
MORE_FILES = 20
SETTLING = 15.0  # seconds in which the servers close what hostile clients have left
STAGE = "dev"
SHOWN = 5


def _run(run: Run) -> Figures:
    random = run.random()
    losses: list[str] = []
    with stages(run.folder, 1, SPEED) as [stage]:
        cloud = lifecycle.load(run.folder / ".deploytool" / "local")
        if cloud is None:
            raise RuntimeError("the local cloud has ended")
        domain = f"{stage.name}.example.com"
        names = [domain, *(f"{region}.{domain}" for region in cloud.regions), "other.example.net"]

        tried = _packets(run, random, cloud, names, losses)
        before = held_by(cloud.pid)
        notes, attacks = _attacks(run, cloud, domain, losses)
        time.sleep(0.0 if run.is_quick else SETTLING)
        after = held_by(cloud.pid)
        if not run.is_quick and after.own_memory_mb > before.own_memory_mb + MORE_MEMORY_MB:
            losses.append(f"{before.own_memory_mb:.0f} MB before, {after.own_memory_mb:.0f} after")
        if not run.is_quick and after.open_files > before.open_files + MORE_FILES:
            losses.append(f"{before.open_files} open files before, {after.open_files} after")
        asked = _agreement(run, random, cloud, names[:-1], domain, losses)

    notes.append(f"{before.own_memory_mb:.0f} and {after.own_memory_mb:.0f} MB")
    notes.append(f"{asked} questions beside unbound" if asked else "unbound is not installed")
    return Figures(tried + attacks + asked, tuple(losses), "; ".join(notes))


def _packets(run: Run, random: Random, cloud: State, names: list[str], losses: list[str]) -> int:
    """Send broken messages to each DNS server. Return how many."""
    count = QUICK_PACKETS if run.is_quick else PACKETS
    servers = {"name server": cloud.dns, "resolver": cloud.resolver, "parent": cloud.parent}
    for title, server in servers.items():
        address = (server.address, server.port)
        asker = UdpAsker(address, names[0])
        for number in range(count // len(servers)):
            packet = make_packet(random, names)
            found = list(problems(packet, asker.ask(packet.wire), tcp=False))
            if number % TCP_EVERY == 0:
                found += problems(packet, ask_over_tcp(address, packet.wire), tcp=True)
            for problem in found:
                losses.append(f"{title}, {packet.kind} {packet.wire.hex()}: {problem}")
        asker.close()
        run.say(f"{title}: {count // len(servers)} messages, {len(losses)} lost so far")
    return count // len(servers) * len(servers)


def _attacks(run: Run, cloud: State, domain: str, losses: list[str]) -> tuple[list[str], int]:
    """Let each kind of hostile clients work. Return figures, and how often good clients asked."""
    seconds = QUICK_ATTACK if run.is_quick else ATTACK
    dns_server = (cloud.dns.address, cloud.dns.port)
    resolver = (cloud.resolver.address, cloud.resolver.port)
    edge = (next(iter(cloud.regions.values())), cloud.https_port)
    good: dict[str, tuple[Callable[[], None], float]] = {
        "DNS": (dns_client(dns_server, domain), DNS_INTERVAL),
        "resolver": (dns_client(resolver, domain), DNS_INTERVAL),
        "HTTPS": (https_client(edge, domain, Path(cloud.ca)), HTTPS_INTERVAL),
    }
    notes = []
    asked = 0
    for kind in hostile.KINDS:
        answers = _asked_during(kind, Victims(dns_server, edge, domain), good, seconds)
        figures = []
        for title, each in answers.items():
            asked += len(each.seconds) + len(each.failures)
            slow = each.percentile(0.99)
            figures.append(f"{title} {1000 * slow:.0f} ms")
            losses += [f"{kind}: {title}: {failure}" for failure in each.failures[:SHOWN]]
            if not each.seconds:
                losses.append(f"{kind}: {title}: no answer at all")
            elif slow > SLOWEST and not run.is_quick:
                losses.append(f"{kind}: {title}: 99 of 100 answers take {1000 * slow:.0f} ms")
        run.say(f"{kind}: {', '.join(figures)}")
        notes.append(f"p99 with {kind}: {', '.join(figures)}")
    return notes, asked


def _asked_during(
    kind: str, victims: Victims, good: dict[str, tuple[Callable[[], None], float]], seconds: float
) -> dict[str, Answers]:
    """Let good clients ask while hostile ones work."""
    (dns_ask, dns_pause), (resolver_ask, resolver_pause), (https_ask, https_pause) = good.values()
    with hostile.run(kind, victims):
        time.sleep(1.0)  # until the process has begun
        with (
            asking(dns_ask, dns_pause) as of_dns,
            asking(resolver_ask, resolver_pause) as of_resolver,
            asking(https_ask, https_pause) as of_https,
        ):
            time.sleep(seconds)
    return dict(zip(good, (of_dns, of_resolver, of_https), strict=True))


def _agreement(
    run: Run, random: Random, cloud: State, names: list[str], zone: str, losses: list[str]
) -> int:
    """Compare the name server with what unbound makes of it. Return how many questions."""
    if not agreement.is_there():
        return 0
    count = QUICK_QUESTIONS if run.is_quick else QUESTIONS
    server = (cloud.dns.address, cloud.dns.port)
    with agreement.unbound(run.folder, zone, server) as resolver:
        for name, kind in agreement.questions(random, names, zone, count):
            losses += agreement.differences(name, kind, server, resolver)
    run.say(f"unbound: {count} questions, {len(losses)} lost so far")
    return count


PROOF = Proof(
    name="servers",
    claim="Broken messages and hostile clients take no answer from good clients.",
    minutes=3,
    run=_run,
)
