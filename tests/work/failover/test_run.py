"""Failovers and failbacks in the simulated world: how they end, and what a kill leaves."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploytool.core.drill.record import DrillRecord
from deploytool.core.errors import (
    ApiUnavailable,
    DeploytoolError,
    Interrupted,
    ProbeFailed,
    Throttled,
)
from deploytool.core.failover.direction import Direction, Person
from deploytool.core.failover.events import Event, MetricPut, SwitchSet, Warned
from deploytool.core.failover.records import DRILL, StandbyRecord, SwitchRecord
from deploytool.core.ports import DnsAnswer, Nameserver
from deploytool.core.route53.timing import expected_switch
from deploytool.simulated.example import SWITCHED
from deploytool.simulated.world import World
from deploytool.work.failover.ports import MovePorts
from deploytool.work.failover.preflight import check_destination, read_standby
from deploytool.work.failover.run import Moved, MoveSettings, move

EAST, WEST = "us-east-1", "us-west-2"
FAILOVER, FAILBACK = Direction.FAILOVER, Direction.FAILBACK
EXPECTED = expected_switch(held=True)


def make_world(seed: int = 0, *, start: float = 0.0) -> World:
    """Return a world with a deployed switch, after `start` seconds."""
    world = World(SWITCHED, rng=random.Random(seed), propagation=(0.0, 4.0))
    world.deploy_switch()
    world.sleep(start)
    return world


@dataclass
class Ran:
    """A command that has ended, and its events."""

    moved: Moved
    events: list[Event] = field(default_factory=list)

    def seconds(self) -> tuple[float | None, float | None]:
        return self.moved.move.name_servers_at, self.moved.move.client_at


def run(
    world: World,
    direction: Direction,
    *,
    ports: MovePorts | None = None,
    who: str = "ana@laptop",
    timeout: float = 600.0,
) -> Ran:
    """Run a command, as `deploytool failover` does."""
    events: list[Event] = []
    used = ports or world.move_ports()
    standby = read_standby(used, "dev", WEST)
    check_destination(used, standby, direction)
    person = Person(who, used.now(), "a reason")
    settings = MoveSettings(timeout=timeout)
    moved = move(used, standby, direction, person, settings, EXPECTED, events.append)
    return Ran(moved, events)


def serving(world: World) -> set[str | None]:
    """Return the regions with which the name servers answer now."""
    return {world._region_of(server.name, SWITCHED.domain) for server in world.name_servers}


def switch_of(world: World) -> SwitchRecord | None:
    return world.standby.read(SwitchRecord)


@pytest.mark.parametrize("start", [0.0, 1.0, 29.5, 59.0])
def test_traffic_moves_and_stays_and_comes_back(start: float) -> None:
    """A failover holds the traffic although the primary is healthy, until a failback."""
    world = make_world(start=start)
    there = run(world, FAILOVER)
    assert there.moved.problem == ""
    assert serving(world) == {WEST}
    dns, client = there.seconds()
    assert dns is not None
    assert client is not None
    assert 0 < dns <= EXPECTED.dns
    assert dns < client <= EXPECTED.total

    world.sleep(3600)
    assert serving(world) == {WEST}

    back = run(world, FAILBACK)
    assert back.moved.problem == ""
    assert serving(world) == {EAST}
    world.sleep(3600)
    assert serving(world) == {EAST}
    record = switch_of(world)
    assert record is not None
    assert not record.held
    assert not record.returning


@pytest.mark.parametrize("direction", list(Direction))
def test_a_second_run_keeps_who_moved_traffic(direction: Direction) -> None:
    """It writes no record, and ends as soon as it has seen that traffic is there."""
    world = make_world()
    run(world, FAILOVER)
    if direction is FAILBACK:
        run(world, FAILBACK)
    before = switch_of(world)
    began = world.now()

    again = run(world, direction, who="bo@desk")
    assert again.moved.already
    assert again.moved.problem == ""
    assert again.seconds() == (None, None)
    assert switch_of(world) == before
    assert world.now() - began < 10


def test_a_failback_of_a_stage_that_never_moved_changes_nothing() -> None:
    """No record is written, and the metric is not put."""
    world = make_world()
    done = run(world, FAILBACK)
    assert done.moved.already
    assert done.moved.record is None
    assert switch_of(world) is None
    assert not any(isinstance(event, SwitchSet | MetricPut) for event in done.events)


def test_an_automatic_failover_is_held_by_a_failover_and_ended_by_a_failback() -> None:
    """The primary fails and recovers: held traffic stays, and a failback brings it home."""
    world = make_world()
    world.conditions[EAST] = "refused"
    world.sleep(120)
    assert serving(world) == {WEST}
    held = run(world, FAILOVER)
    assert held.seconds() == (None, None)
    assert not held.moved.already

    world.conditions[EAST] = 200
    world.sleep(600)
    assert serving(world) == {WEST}
    run(world, FAILBACK)
    assert serving(world) == {EAST}


def test_a_failover_takes_the_switch_over_from_a_drill() -> None:
    """The drill's end would release a switch that it holds itself; the user is warned of it."""
    world = make_world()
    world.standby.write(SwitchRecord(1, True, "2026", "bo@desk", "", DRILL))
    world.drill_records.write(DrillRecord(1, "d", "switch", "dev", "bo@desk", "2026", "2026", ()))
    done = run(world, FAILOVER)
    record = switch_of(world)
    assert record is not None
    assert (record.how, record.who) == ("command", "ana@laptop")
    [warning] = [event for event in done.events if isinstance(event, Warned)]
    assert "a drill (switch) is under way since 2026, by bo@desk" in warning.message


class Deployed:
    """The Deployments port: the answer, or the error, to who deploys the stage."""

    def __init__(self, answer: str | DeploytoolError) -> None:
        self._answer = answer

    def describe(self) -> str:
        if isinstance(self._answer, DeploytoolError):
            raise self._answer
        return self._answer


@pytest.mark.parametrize(
    ("answer", "warning"),
    [
        ("bo@desk since 2026", "the stage is being deployed by bo@desk since 2026"),
        (DeploytoolError("not allowed"), "cannot tell whether the stage is being deployed"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("direction", [FAILOVER, FAILBACK])
def test_traffic_moves_although_the_stage_is_being_deployed(
    direction: Direction, answer: str | DeploytoolError, warning: str
) -> None:
    """On the day nothing waits for a deployment. The user is warned of it."""
    world = make_world()
    if direction is FAILBACK:
        run(world, FAILOVER)
    ports = replace(world.move_ports(), deployments=Deployed(answer))
    done = run(world, direction, ports=ports)
    assert done.moved.problem == ""
    warned = [event.message for event in done.events if isinstance(event, Warned)]
    assert [text[: len(warning)] for text in warned] == ([warning] if warning else [])


def test_an_unreadable_record_of_a_drill_does_not_stop_a_failover(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A newer deploytool may have begun the drill; the user is told."""
    world = make_world()

    def fail() -> None:
        raise DeploytoolError("it has schema version 2")

    monkeypatch.setattr(world.drill_records, "read", fail)
    done = run(world, FAILOVER)
    assert done.moved.problem == ""
    [warning] = [event for event in done.events if isinstance(event, Warned)]
    assert warning.message.endswith("it has schema version 2")


@pytest.mark.parametrize(
    ("direction", "region"), [(FAILOVER, WEST), (FAILBACK, EAST)], ids=["failover", "failback"]
)
@pytest.mark.parametrize("condition", ["refused", "timeout", 503])
def test_traffic_is_not_moved_to_a_region_that_does_not_serve(
    direction: Direction, region: str, condition: int | str
) -> None:
    """It is refused before anything is written, and the hint names --force."""
    world = make_world()
    world.conditions[region] = condition
    with pytest.raises(DeploytoolError, match=f"{region}, does not serve") as error:
        run(world, direction)
    assert error.value.exit_code == 1
    assert "--force" in error.value.hint
    assert switch_of(world) is None


def test_a_stage_that_the_standby_does_not_know_is_refused() -> None:
    """The hint says to deploy."""
    world = World(SWITCHED)
    with pytest.raises(DeploytoolError, match="knows nothing of stage dev") as error:
        run(world, FAILOVER)
    assert error.value.exit_code == 1
    assert error.value.hint == "deploytool deploy --stage dev"


def test_a_stage_without_a_switch_is_refused() -> None:
    """Its traffic cannot be moved by command."""
    world = make_world()
    standby = world.standby.read(StandbyRecord)
    assert standby is not None
    world.standby.write(replace(standby, switch_health_check_id=""))
    with pytest.raises(DeploytoolError, match="stage dev has no switch"):
        run(world, FAILOVER)


def test_it_ends_when_the_time_is_over_and_the_next_run_goes_on() -> None:
    """The switch stays set, so that the same command finishes."""
    world = make_world(start=1.0)
    first = run(world, FAILOVER, timeout=10.0)
    assert "ns-1.example.net answers with us-east-1" in first.moved.problem
    record = switch_of(world)
    assert record is not None
    assert record.held

    second = run(world, FAILOVER, who="bo@desk")
    assert second.moved.problem == ""
    assert second.moved.already
    assert second.moved.record == record


@dataclass
class OneServerSilent:
    """The DNS of a world in which a name server does not answer."""

    world: World
    name: str = "ns-2.example.net"

    def query(self, server: Nameserver, name: str, *, tcp: bool = False) -> DnsAnswer:
        if server.name == self.name:
            raise ProbeFailed("timeout", f"{server.name} did not answer in 2 s")
        return self.world.query(server, name, tcp=tcp)


def test_a_silent_name_server_does_not_block_a_failover() -> None:
    """The others must agree; it is named."""
    world = make_world()
    ports = replace(world.move_ports(), dns=OneServerSilent(world))
    done = run(world, FAILOVER, ports=ports)
    assert done.moved.problem == ""
    assert done.moved.move.silent == ("ns-2.example.net",)


def test_addresses_that_no_target_tells_are_called() -> None:
    """A record of an older deployment has no targets: the answer's header names the region."""
    world = make_world()
    standby = world.standby.read(StandbyRecord)
    assert standby is not None
    world.standby.write(replace(standby, targets={}))
    assert run(world, FAILOVER).moved.problem == ""


@dataclass
class FailingRecords:
    """The records of a standby region whose API dies, and recovers after some calls."""

    world: World
    failing: range
    calls: int = 0

    def read(self, kind: Any) -> Any:
        self._count()
        return self.world.standby.read(kind)

    def write(self, record: Any) -> None:
        self._count()
        self.world.standby.write(record)

    def remove_all(self) -> None:
        raise NotImplementedError

    def _count(self) -> None:
        self.calls += 1
        if self.calls in self.failing:
            raise ApiUnavailable("the API of us-west-2 does not answer", WEST)


def test_without_the_standby_region_traffic_cannot_be_moved() -> None:
    """The error has exit code 4 and says what works without that region."""
    world = make_world()
    ports = replace(world.move_ports(), records=FailingRecords(world, range(1, 100)))
    with pytest.raises(ApiUnavailable, match="traffic cannot be moved by command") as error:
        run(world, FAILOVER, ports=ports)
    assert error.value.exit_code == 4
    assert "automatic failover works without it" in error.value.hint


def test_a_standby_region_that_dies_during_the_wait_does_not_stop_it() -> None:
    """The switch stands; the failed repetition of the metric is shown."""
    world = make_world()
    ports = replace(world.move_ports(), records=FailingRecords(world, range(4, 100)))
    done = run(world, FAILOVER, ports=ports)
    assert done.moved.problem == ""
    assert any(isinstance(event, MetricPut) and event.failure for event in done.events)


@pytest.mark.parametrize("direction", list(Direction))
def test_throttling_does_not_stop_a_movement(
    direction: Direction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record of the switch is written by then, so the metric is put again."""
    world = make_world()
    if direction is FAILBACK:
        run(world, FAILOVER)
    put = world.switch.put
    refusals: list[Throttled | None] = [Throttled("putting: Rate exceeded"), None]

    def throttled(*, held: bool) -> None:
        refusal = refusals.pop(0) if refusals else None
        if refusal is not None:
            raise refusal
        put(held=held)

    monkeypatch.setattr(world.switch, "put", throttled)
    ran = run(world, direction)
    assert ran.moved.problem == ""
    failures = [event.failure for event in ran.events if isinstance(event, MetricPut)]
    assert failures[:2] == ["putting: Rate exceeded", ""]


def test_a_failback_has_ended_when_its_end_cannot_be_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The function in the standby region notes it. The person is told."""
    world = make_world()
    run(world, FAILOVER)
    write = world.standby.write

    def refuse_the_note(record: Any) -> None:
        if isinstance(record, SwitchRecord) and not record.held and not record.returning:
            raise Throttled("writing: Rate exceeded")
        write(record)

    monkeypatch.setattr(world.standby, "write", refuse_the_note)
    ran = run(world, FAILBACK)
    assert ran.moved.problem == ""
    warnings = [event.message for event in ran.events if isinstance(event, Warned)]
    assert warnings == [
        "that traffic has arrived was not noted in the standby region: writing: Rate exceeded"
    ]


@pytest.mark.parametrize("direction", list(Direction))
def test_a_command_ends_when_somebody_moves_traffic_the_other_way(direction: Direction) -> None:
    """It does not fight the last decision, and names who took it."""
    world = make_world(start=1.0)
    if direction is FAILBACK:
        run(world, FAILOVER)
    opposite = SwitchRecord(1, not direction.holds, "2026", "bo@desk", "enough", "command")
    world.at(world.now() + 15, lambda: world.standby.write(opposite))
    with pytest.raises(
        DeploytoolError, match=r"meanwhile since 2026 by bo@desk \(command\) \(enough\)"
    ):
        run(world, direction)
    assert switch_of(world) == opposite


def test_a_record_that_is_taken_back_at_once_is_no_decision() -> None:
    """The function in the standby region may overwrite a record for a moment."""
    world = make_world(start=1.0)
    other = SwitchRecord(1, False, "2026", "", "", "automatic")

    def overwrite() -> None:
        record = switch_of(world)
        assert record is not None
        world.standby.write(other)
        world.at(world.now() + 0.9, lambda: world.standby.write(record))

    # Just before the metric is repeated for the first time
    world.at(world.now() + 19.9, overwrite)
    assert run(world, FAILOVER).moved.problem == ""


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("direction", list(Direction))
def test_ctrl_c_says_how_the_switch_stands(direction: Direction) -> None:
    """It stays as it was set; the hint says how to go on and how to go back."""
    world = make_world(start=1.0)
    if direction is FAILBACK:
        run(world, FAILOVER)
    world.at(world.now() + 10, interrupt)
    with pytest.raises(Interrupted, match="the switch stays") as error:
        run(world, direction)
    assert error.value.exit_code == 130
    assert f"deploytool {direction} --stage dev goes on" in error.value.hint
    assert f"deploytool {direction.opposite} --stage dev moves it back" in error.value.hint
    record = switch_of(world)
    assert record is not None
    assert record.held is direction.holds


class Killed(BaseException):
    """The process is gone: nothing of it catches this."""


@dataclass
class Killer:
    """Raises Killed at the nth call of any port, before it or after it is done."""

    nth: int
    after: bool
    calls: int = 0

    def __call__(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def killing(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            is_due = self.calls == self.nth
            if is_due and not self.after:
                raise Killed
            result = call(*args, **kwargs)
            if is_due:
                raise Killed
            return result

        return killing


class Killing:
    """A port whose every method may be the one at which the process is killed."""

    def __init__(self, port: object, killer: Killer) -> None:
        self._port = port
        self._killer = killer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self._killer(getattr(self._port, name))


def killing_ports(world: World, killer: Killer) -> MovePorts:
    ports: Any = world.move_ports()
    return replace(
        ports,
        dns=Killing(ports.dns, killer),
        http=Killing(ports.http, killer),
        records=Killing(ports.records, killer),
        metric=Killing(ports.metric, killer),
        drills=Killing(ports.drills, killer),
        locate=killer(ports.locate),
    )


@cache
def calls_of(direction: Direction, seed: int) -> int:
    """Return how many calls of a port a whole command makes."""
    world = make_world(seed, start=1.0)
    if direction is FAILBACK:
        run(world, FAILOVER)
    counter = Killer(0, after=False)
    run(world, direction, ports=killing_ports(world, counter))
    return counter.calls


@settings(max_examples=60, deadline=None)
@given(
    direction=st.sampled_from(list(Direction)),
    share=st.floats(0, 1, exclude_max=True),
    after=st.booleans(),
    pause=st.floats(0, 300),
    seed=st.integers(0, 2),
)
def test_the_next_run_finishes_what_a_killed_one_began(
    direction: Direction, share: float, after: bool, pause: float, seed: int
) -> None:
    """Whatever call a kill hits, the record tells the state, and the same command ends the job."""
    world = make_world(seed, start=1.0)
    if direction is FAILBACK:
        run(world, FAILOVER)
    before = switch_of(world)
    killer = Killer(1 + int(share * calls_of(direction, seed)), after)
    with pytest.raises(Killed):
        run(world, direction, ports=killing_ports(world, killer))

    record = switch_of(world)
    assert record == before or (record is not None and record.held is direction.holds)
    # Until the next run the function in the standby region does what the record says
    world.sleep(pause)

    done = run(world, direction, who="bo@desk")
    assert done.moved.problem == ""
    destination = WEST if direction.holds else EAST
    assert serving(world) == {destination}
    world.sleep(600)
    assert serving(world) == {destination}
    after_all = switch_of(world)
    assert after_all is not None
    assert (after_all.held, after_all.returning) == (direction.holds, False)


@settings(max_examples=20, deadline=None)
@given(direction=st.sampled_from(list(Direction)), nth=st.integers(1, 12), after=st.booleans())
def test_a_killed_command_reaches_its_end_by_the_function_alone(
    direction: Direction, nth: int, after: bool
) -> None:
    """Once the record stands, traffic moves even if nobody runs the command again."""
    world = make_world(start=1.0)
    if direction is FAILBACK:
        run(world, FAILOVER)
    with pytest.raises(Killed):
        run(world, direction, ports=killing_ports(world, Killer(nth, after)))
    record = switch_of(world)
    world.sleep(600)
    is_held = record is not None and record.held
    assert serving(world) == ({WEST} if is_held else {EAST})
