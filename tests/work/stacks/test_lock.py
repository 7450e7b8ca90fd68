"""Two runs on one stage: the second waits or ends, and none starts during a drill."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from deploytool.core.errors import DeploytoolError, Interrupted
from deploytool.core.stacks.events import LeaseKept, LockWaited
from deploytool.core.stacks.lease import LEASE_SECONDS, Holder, Lease, write_lease
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.destroy import destroy
from deploytool.work.stacks.lock import Coordination, RunningDeployment, remove_abandoned_leases
from deploytool.work.stacks.run import DeployOptions

EAST, WEST = "us-east-1", "us-west-2"
LOCK, DRILL = (EAST, "/deploytool/hello/dev/deploy"), (WEST, "/deploytool/hello/dev/drill")
US, THEM = Holder("us", "here", 1), Holder("them", "there", 2)


@pytest.fixture
def shared(ports: Any, locks: Any, stacks: Any) -> Any:
    return replace(
        ports,
        coordination=Coordination(
            locks, US, stacks.clock.now, lambda process: process == US.process
        ),
    )


def test_the_lease_is_held_while_there_is_something_to_do(
    shared: Any, locks: Any, graph_of: Any
) -> None:
    """Two calls look for a drill; in each region one takes the lease and two release it.

    An idle run makes no call.
    """
    assert deploy(graph_of(), shared, lambda event: None).ok
    assert locks.calls == ["read", "make", "make", "read", "read", "remove", "read", "remove"]
    assert not locks.held
    locks.calls.clear()
    assert deploy(graph_of(), shared, lambda event: None).ok
    assert locks.calls == []


def test_it_is_renewed_while_the_run_lasts(
    shared: Any, locks: Any, stacks: Any, graph_of: Any
) -> None:
    """It is renewed in both regions after each third of its time."""
    stacks.durations = {"hello-dev-zone": 400.0}
    deploy(graph_of(), shared, lambda event: None)
    assert locks.calls.count("renew") == pytest.approx(2 * 400 / (LEASE_SECONDS / 3), abs=2)


@pytest.mark.parametrize("work", [deploy, destroy])
def test_what_a_run_writes_at_its_end_is_below_its_lease(
    shared: Any, locks: Any, graph_of: Any, work: Any
) -> None:
    """Another run that began meanwhile would lose its records to the end of this one."""
    if work is destroy:
        deploy(graph_of(), shared, lambda event: None)
    held: list[bool] = []
    options = DeployOptions(finish=lambda outcome: held.append(bool(locks.held)))
    work(graph_of(), shared, lambda event: None, options=options)
    assert held == [True]
    assert not locks.held


@pytest.mark.parametrize("work", [deploy, destroy])
def test_the_second_run_names_the_holder_and_ends(
    shared: Any, locks: Any, stacks: Any, graph_of: Any, work: Any
) -> None:
    """Nothing is started, and the lease of the other run stays."""
    if work is destroy:
        deploy(graph_of(), shared, lambda event: None)
    stacks.history.clear()
    locks.held[LOCK] = write_lease(Lease(THEM, 0.0, stacks.clock.now() + 100.0))
    with pytest.raises(
        DeploytoolError, match=r"deployed by them on there \(process 2\) since 1970-01-01"
    ) as caught:
        work(graph_of(), shared, lambda event: None)
    assert caught.value.exit_code == 1
    assert "--wait" in caught.value.hint
    assert not stacks.history
    assert "them" in locks.held[LOCK]


def test_with_wait_the_run_starts_when_the_other_has_ended(
    shared: Any, locks: Any, stacks: Any, graph_of: Any
) -> None:
    """The stacks are listed again, so that nothing is done twice."""
    locks.held[LOCK] = write_lease(Lease(THEM, 0.0, 1000.0))

    def other_ends() -> None:
        late = stacks.clock.now() > 20.0
        if late and LOCK in locks.held and "them" in locks.held[LOCK]:
            del locks.held[LOCK]
            deploy(graph_of(), replace(shared, coordination=None), lambda event: None)
            stacks.calls.clear()

    stacks.clock.after_sleep = other_ends
    events: list[Any] = []
    outcome = deploy(graph_of(), shared, events.append, options=DeployOptions(wait=60.0))
    assert outcome.ok
    assert stacks.calls == [("list", EAST), ("list", WEST)]
    assert len([event for event in events if isinstance(event, LockWaited)]) == 1


def test_waiting_ends_after_the_time_given_or_when_the_user_asks(
    shared: Any, locks: Any, stacks: Any, graph_of: Any
) -> None:
    """The exit code is 1 or 130."""
    locks.held[LOCK] = write_lease(Lease(THEM, 0.0, 1000.0))
    with pytest.raises(DeploytoolError, match="them on there"):
        deploy(graph_of(), shared, lambda event: None, options=DeployOptions(wait=10.0))
    assert 10.0 <= stacks.clock.now() < 15.0

    class Asked:
        def count(self) -> int:
            return 1

    with pytest.raises(Interrupted):
        deploy(
            graph_of(),
            shared,
            lambda event: None,
            options=DeployOptions(wait=10.0, interrupts=Asked()),
        )


@pytest.mark.parametrize(
    "lease",
    [
        write_lease(Lease(THEM, 0.0, -1.0)),
        write_lease(Lease(Holder("us", "here", 99), 0.0, 1000.0)),
        "not a lease",
    ],
    ids=["its time is over", "its process here has ended", "nonsense"],
)
def test_an_invalid_lease_is_taken_over(shared: Any, locks: Any, graph_of: Any, lease: str) -> None:
    """A killed run keeps others out for a short time, and on its own host not at all."""
    locks.held[LOCK] = lease
    assert deploy(graph_of(), shared, lambda event: None).ok
    assert LOCK not in locks.held


def test_of_two_that_take_over_one_gets_it(
    shared: Any, locks: Any, stacks: Any, graph_of: Any
) -> None:
    """When the other run replaces our new lease with its own, we read that after a moment."""
    locks.held[LOCK] = write_lease(Lease(THEM, 0.0, -1.0))

    def overtaken() -> None:
        locks.held[LOCK] = write_lease(Lease(THEM, 0.0, 1000.0))

    stacks.clock.after_sleep = overtaken
    with pytest.raises(DeploytoolError, match="them on there"):
        deploy(graph_of(), shared, lambda event: None)
    assert not stacks.history


def test_no_deployment_begins_during_a_drill(
    shared: Any, locks: Any, stacks: Any, graph_of: Any
) -> None:
    """It would change what the drill measures. The hint names the command that ends the drill."""
    locks.held[DRILL] = "{}"
    with pytest.raises(DeploytoolError, match="drill of stage dev") as caught:
        deploy(graph_of(), shared, lambda event: None)
    assert "deploytool restore --stage dev" in caught.value.hint
    assert not stacks.history


def test_no_deployment_begins_beside_a_drill_that_has_just_begun(
    shared: Any, locks: Any, stacks: Any, graph_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drill that writes its record between the first look and the lease is seen all the same."""
    make = locks.make

    def making(region: str, name: str, value: str) -> bool:
        locks.held[DRILL] = "{}"
        made: bool = make(region, name, value)
        return made

    monkeypatch.setattr(locks, "make", making)
    with pytest.raises(DeploytoolError, match="drill of stage dev"):
        deploy(graph_of(), shared, lambda event: None)
    assert not stacks.history
    assert set(locks.held) == {DRILL}


def test_a_lease_whose_answer_was_lost_is_ours(
    shared: Any, locks: Any, graph_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call that botocore repeats is refused as the name exists, with this run's own value."""
    make = locks.make

    def losing_the_answer(region: str, name: str, value: str) -> bool:
        make(region, name, value)
        return False

    monkeypatch.setattr(locks, "make", losing_the_answer)
    assert deploy(graph_of(), shared, lambda event: None).ok
    assert not locks.held


def test_another_run_of_the_same_process_id_is_another_run(
    shared: Any, locks: Any, graph_of: Any
) -> None:
    """Two hosts may have one name. Only what a run has drawn at random tells it from another."""
    locks.held[LOCK] = write_lease(Lease(replace(US, run="other"), 0.0, 1000.0))
    with pytest.raises(DeploytoolError, match="being deployed by us on here"):
        deploy(graph_of(), shared, lambda event: None)


def test_a_lease_that_cannot_be_given_back_changes_no_result(
    shared: Any, locks: Any, graph_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the run did is what it reports; that the lease stays is said beside it."""

    def failing(region: str, name: str) -> None:
        raise DeploytoolError(f"unlocking {name} in {region}: Internal Server Error")

    monkeypatch.setattr(locks, "remove", failing)
    events: list[Any] = []
    assert deploy(graph_of(), shared, events.append).ok
    kept = [event for event in events if isinstance(event, LeaseKept)]
    assert [event.region for event in kept] == [EAST, WEST]


@pytest.mark.parametrize(
    ("lease", "deployer"),
    [
        (None, ""),
        (Lease(THEM, 0.0, 1000.0), "them on there (process 2) since 1970-01-01T00:00:00+00:00"),
        (Lease(THEM, 0.0, -1.0), ""),
        (Lease(Holder("us", "here", 99), 0.0, 1000.0), ""),
    ],
    ids=["none", "valid", "expired", "its process here has ended"],
)
def test_a_drill_sees_who_deploys(
    shared: Any, locks: Any, lease: Lease | None, deployer: str
) -> None:
    """The lease of a killed run keeps no drill out for longer than it is valid."""
    if lease is not None:
        locks.held[LOCK] = write_lease(lease)
    running = RunningDeployment(shared.coordination, "hello", "dev", (EAST, WEST))
    assert running.describe() == deployer
    locks.dead.add(WEST)
    assert running.describe() == deployer


def test_the_lease_is_released_after_an_error(shared: Any, locks: Any, graph_of: Any) -> None:
    """An error in a renderer counts too."""

    def broken(*_: object) -> None:
        raise DeploytoolError("no")

    renderer: Callable[[object], None] = broken
    with pytest.raises(DeploytoolError, match="no"):
        deploy(graph_of(), shared, renderer)
    assert not locks.held


@pytest.mark.parametrize(
    ("lease", "is_kept"),
    [
        (Lease(THEM, 0.0, 1000.0), True),
        (Lease(US, 0.0, 1000.0), True),
        (Lease(THEM, 0.0, -1.0), False),
        (Lease(Holder("us", "here", 99), 0.0, 1000.0), False),
    ],
    ids=["valid", "our own", "expired", "its process here has ended"],
)
def test_a_destruction_with_nothing_to_do_deletes_abandoned_leases(
    shared: Any, locks: Any, lease: Lease, is_kept: bool
) -> None:
    """A destruction that was killed after its last stack leaves its lease."""
    locks.held[LOCK] = write_lease(lease)
    remove_abandoned_leases(shared.coordination, "hello", "dev", [EAST, WEST])
    assert (LOCK in locks.held) is is_kept
