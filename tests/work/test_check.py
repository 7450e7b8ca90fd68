"""The check of a service in the simulated world, once and until there are no problems."""

from dataclasses import replace

import pytest

from deploytool.core.ports import HttpAnswer
from deploytool.core.service.findings import Findings, ZoneServers, has_no_address, problems
from deploytool.simulated.example import SERVICE
from deploytool.simulated.executor import InlineExecutor
from deploytool.simulated.world import World
from deploytool.work.check import check, servers_of_zone, wait_until_good

EAST, WEST = "us-east-1", "us-west-2"


def look(world: World, zone: ZoneServers | None = None) -> Findings:
    """Check the world's service once, by default at the servers of its hosted zone."""
    probes = world.probes()
    zone = zone or servers_of_zone(probes, world.service)
    return check(probes, InlineExecutor(), world.service, zone)


def test_a_healthy_service_has_no_problems() -> None:
    """The name servers and resolvers answer, and the primary and each region's endpoint serve."""
    world = World()
    findings = look(world)
    assert problems(findings, world.service) == []
    assert (findings.served_by, findings.version) == (EAST, "v1")
    assert len(findings.name_servers) == 4
    assert findings.regions.keys() == {EAST, WEST}
    assert all(isinstance(answer, HttpAnswer) for answer in findings.regions.values())


@pytest.mark.parametrize(
    ("region", "condition", "problem"),
    [
        (
            WEST,
            "refused",
            "us-west-2.dev.example.com/v1: https://us-west-2.dev.example.com/v1 at 192.0.2.2: refused",
        ),
        (WEST, 503, "us-west-2.dev.example.com/v1 answers 503"),
        (EAST, 404, "https://dev.example.com/v1 answers 404"),
    ],
)
def test_a_problem_names_the_url_and_its_answer(
    region: str, condition: int | str, problem: str
) -> None:
    """A problem names the URL and what it answers."""
    world = World()
    world.conditions[region] = condition
    findings = look(world)
    found_problems = problems(findings, world.service)
    assert any(problem in line for line in found_problems), found_problems


def test_after_a_failover_the_check_says_that_the_secondary_serves() -> None:
    """The name servers decide. A resolver with the old answer is named, with its remaining TTL."""
    world = World()
    look(world)
    world.health_checks.set_inverted("check", inverted=True, version=1)
    world.sleep(1.0)
    findings = look(world)
    assert findings.served_by == WEST
    lines = problems(findings, world.service)
    assert any("us-west-2 serves instead of the primary" in line for line in lines)
    assert any("still has an older answer, for up to 59 s" in line for line in lines)


def test_other_addresses_of_the_same_region_are_no_problem() -> None:
    """API Gateway has more addresses than one answer holds. The region that answers decides."""
    world = World()
    look(world)
    # The name servers now answer with other addresses of the same region
    world.addresses[EAST] = "192.0.2.101"
    findings = look(world)
    assert findings.through_resolvers.keys() == {"resolver"}
    assert problems(findings, world.service) != []  # the old address is dead in this world

    world.aliases["192.0.2.1"] = EAST
    assert problems(look(world), world.service) == []


def test_the_wait_ends_without_problems_or_when_time_is_up() -> None:
    """The seconds are those of the target's clock. The remaining problems are returned."""
    world = World()
    world.conditions[WEST] = 503
    world.at(22.0, lambda: world.conditions.__setitem__(WEST, 200))
    assert wait_until_good(world.probes(), InlineExecutor(), world.service, 60.0) == []
    assert 22.0 <= world.now() < 30.0
    world.conditions[WEST] = 503
    assert wait_until_good(world.probes(), InlineExecutor(), world.service, 10.0)


def test_dns_tells_where_clients_go_when_nobody_answers() -> None:
    """The addresses of the domain are compared with those of each region's own endpoint."""
    world = World()
    world.conditions[EAST] = "timeout"
    findings = look(world)
    assert findings.served_by is None
    assert findings.directed_to == EAST


def test_dead_name_servers_and_no_zone_are_problems() -> None:
    """The resolver's answer still leads to the service, so that it can be called."""
    world = World()
    zone = ZoneServers("dev.example.com", (), {"ns-1.example.net": "no resolver knows its address"})
    findings = look(world, zone)
    assert findings.served_by == EAST
    assert problems(findings, world.service) == ["ns-1.example.net: no resolver knows its address"]

    findings = look(world, ZoneServers(failures={"resolver": "SERVFAIL"}))
    assert problems(findings, world.service) == [
        "no name server of dev.example.com was found: resolver answers SERVFAIL"
    ]


def test_a_domain_without_an_address_is_told_from_a_silent_dns() -> None:
    """Only the first may mean that the stage is not deployed."""
    world = World()
    unknown = replace(SERVICE, domain="unknown.example.com")
    probes = world.probes()
    findings = check(probes, InlineExecutor(), unknown, servers_of_zone(probes, unknown))
    assert has_no_address(findings)
    assert not has_no_address(replace(findings, name_servers={}, resolvers={"r": "no answer"}))
    assert not has_no_address(look(World()))
