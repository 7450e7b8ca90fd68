"""One look at a service from everywhere, and looking again until it is well; on the simulated
world.
"""

import pytest

from deploytool.core.ports import HttpAnswer
from deploytool.core.service.findings import problems
from deploytool.simulated.world import World
from deploytool.work.check import check, wait_until_good

EAST, WEST = "us-east-1", "us-west-2"


def test_a_well_service_has_no_problems() -> None:
    """Every name server and resolver answers, the primary serves, and so does each region's own
    endpoint.
    """
    world = World()
    found = check(world.probes(), world.service)
    assert problems(found, world.service) == []
    assert (found.served_by, found.version) == (EAST, "v1")
    assert len(found.name_servers) == 4
    assert {region: isinstance(each, HttpAnswer) for region, each in found.regions.items()} == {
        EAST: True,
        WEST: True,
    }


@pytest.mark.parametrize(
    ("region", "condition", "says"),
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
def test_what_is_wrong_is_named(region: str, condition: int | str, says: str) -> None:
    """Which URL, and what it answers."""
    world = World()
    world.conditions[region] = condition
    found = problems(check(world.probes(), world.service), world.service)
    assert any(says in each for each in found), found


def test_after_a_failover_the_check_says_that_the_secondary_serves() -> None:
    """By the name servers' answer; a resolver that holds the old one is named, with for how
    long.
    """
    world = World()
    probes = world.probes()
    check(probes, world.service)
    world.health_checks.set_inverted("check", inverted=True, version=1)
    world.sleep(1.0)
    found = check(probes, world.service)
    assert found.served_by == WEST
    said = problems(found, world.service)
    assert any("us-west-2 serves instead of the primary" in each for each in said)
    assert any("still has an older answer, for up to 59 s" in each for each in said)


def test_looking_again_ends_when_all_is_well_or_time_is_up() -> None:
    """The seconds are the target's; what is still wrong is the answer."""
    world = World()
    world.conditions[WEST] = 503
    world.at(22.0, lambda: world.conditions.__setitem__(WEST, 200))
    assert wait_until_good(world.probes(), world.service, 60.0) == []
    assert 22.0 <= world.now() < 30.0
    world.conditions[WEST] = 503
    assert wait_until_good(world.probes(), world.service, 10.0)
