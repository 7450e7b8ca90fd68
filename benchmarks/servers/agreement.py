"""What the local cloud's name server says through unbound, beside what it says itself.

unbound resolves through a stub zone. It checks answers as resolvers of the internet do, and asks in
mixed case (0x20): it takes no answer whose question is in another case.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

TIME_LIMIT = 30.0  # seconds for one answer, on a machine with other work
START_LIMIT = 120.0  # seconds until unbound answers
ATTEMPTS = 5
UNBOUND = "unbound"
TYPES = ("A", "AAAA", "NS", "SOA", "TXT", "CNAME", "MX", "CAA")
_CONFIG = """server:
  interface: 127.0.0.1
  port: {port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  do-not-query-localhost: no
  module-config: "iterator"
  use-caps-for-id: yes
  local-zone: "{zone}" nodefault
remote-control:
  control-enable: no
stub-zone:
  name: "{zone}"
  stub-addr: {address}@{server_port}
"""


def is_there() -> bool:
    """Return whether unbound is installed."""
    return _program() is not None


def _program() -> str | None:
    return shutil.which(UNBOUND) or shutil.which(UNBOUND, path="/usr/sbin:/usr/local/sbin")


@contextmanager
def unbound(folder: Path, zone: str, server: tuple[str, int]) -> Iterator[tuple[str, int]]:
    """Run unbound in front of a name server during the block; give its address."""
    program = _program()
    if program is None:
        raise FileNotFoundError(UNBOUND)
    for attempt in range(ATTEMPTS):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = folder / "unbound.conf"
        values = {"port": port, "folder": folder, "zone": zone}
        config.write_text(_CONFIG.format(**values, address=server[0], server_port=server[1]))
        with (folder / "unbound.log").open("wb") as log:
            process = subprocess.Popen([program, "-d", "-c", str(config)], stdout=log, stderr=log)
        try:
            if _answers(process, port, zone):
                yield "127.0.0.1", port
                return
        finally:
            process.kill()
            process.wait()
        # Somebody else may have taken the port meanwhile, or have it on TCP
        if attempt == ATTEMPTS - 1:
            raise ChildProcessError((folder / "unbound.log").read_text(errors="replace")[-1000:])


def _answers(process: subprocess.Popen[bytes], port: int, zone: str) -> bool:
    """Wait until unbound answers; return False when it has ended. Raises TimeoutError."""
    deadline = time.monotonic() + START_LIMIT
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise TimeoutError("unbound does not answer")
        try:
            dns.query.udp(dns.message.make_query(zone, "SOA"), "127.0.0.1", timeout=5, port=port)
        except (OSError, dns.exception.DNSException):
            time.sleep(0.1)
        else:
            return True
    return False


def questions(
    random: Random, names: Sequence[str], zone: str, count: int
) -> Iterator[tuple[str, str]]:
    """Yield names and types: those that exist, some that do not, each in a case of its own."""
    for _ in range(count):
        name = random.choice((*names, f"nope{random.randrange(1000)}.{zone}", f"a.{names[0]}"))
        mixed = "".join(random.choice((letter.upper(), letter)) for letter in name)
        yield mixed, random.choice(TYPES)


def differences(
    name: str, kind: str, server: tuple[str, int], resolver: tuple[str, int]
) -> Iterator[str]:
    """Find how the answer of the resolver differs from that of the authoritative server."""
    own = _ask(name, kind, server)
    through = _ask(name, kind, resolver)
    if not own.flags & dns.flags.AA:
        yield f"{name} {kind}: the server's answer is not authoritative"
    if own.rcode() != through.rcode():
        said = dns.rcode.to_text(through.rcode())
        yield f"{name} {kind}: {dns.rcode.to_text(own.rcode())} of the server, {said} by unbound"
    if _records(own) != _records(through):
        yield f"{name} {kind}: {_records(own)} of the server, {_records(through)} by unbound"
    for answer in (own, through):
        if str(answer.question[0].name) != f"{name}.":
            yield f"{name} {kind}: answered for {answer.question[0].name}"
    if not own.answer:
        yield from _problems_of_none(name, kind, own, through)


def _problems_of_none(
    name: str, kind: str, own: dns.message.Message, through: dns.message.Message
) -> Iterator[str]:
    """Find what is wrong with a negative answer: its SOA says for how long it counts (RFC 2308)."""
    soas = [each for each in own.authority if each.rdtype == dns.rdatatype.SOA]
    if len(soas) != 1:
        yield f"{name} {kind}: {len(soas)} SOA records in a negative answer"
        return
    if soas[0].ttl > soas[0][0].minimum:
        yield f"{name} {kind}: the SOA's TTL is {soas[0].ttl}, over its minimum"
    for each in through.authority:
        if each.rdtype == dns.rdatatype.SOA and each.ttl > soas[0].ttl:
            yield f"{name} {kind}: unbound keeps it for {each.ttl} s, and {soas[0].ttl} were said"


def _ask(name: str, kind: str, server: tuple[str, int]) -> dns.message.Message:
    query = dns.message.make_query(name, kind)
    return dns.query.udp(query, server[0], timeout=TIME_LIMIT, port=server[1])


def _records(answer: dns.message.Message) -> list[str]:
    """Return the records of an answer without their TTLs, which count down in a cache."""
    found = []
    for records in answer.answer:
        for record in records:
            found.append(f"{records.name.to_text().lower()} {record}")
    return sorted(found)
