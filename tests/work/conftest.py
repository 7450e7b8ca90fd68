"""A CloudFormation that lives in memory on a virtual clock, for the deploy work's tests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import pytest

from deploytool.core.errors import StackExists
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph
from deploytool.core.project.graphfile import parse_graph_file
from deploytool.core.project.package import Package, build_package
from deploytool.core.project.template import fingerprint_in, load_yaml, parse_template
from deploytool.core.stacks.events import Event
from deploytool.core.stacks.stack import STACK_TYPE, Stack, StackEvent, StackRequest, StackStatus
from deploytool.work.stacks.deploy import DeployPorts, deploy
from deploytool.work.stacks.engine import Outcome

EAST, WEST = "us-east-1", "us-west-2"
TEMPLATE = """
Parameters: {Input: {Type: String, Default: ''}, More: {Type: String, Default: ''}}
Resources: {A: {Type: 'AWS::Some::Thing'}}
Outputs: {Out: {Value: x}}
"""
GRAPH = """
artifacts: {function: {source: x, bucket: {output: bucket.Out}}}
stacks:
  zone: {template: t.yaml, scope: global, parameters: {Input: {setting: domain}}}
  bucket: {template: t.yaml, scope: regional}
  api: {template: t.yaml, scope: regional}
  lambda: {template: t.yaml, scope: regional, parameters: {Input: {output: api.Out}, More: {artifact: function, part: key}}}
  certificate: {template: t.yaml, scope: regional, parameters: {Input: {output: zone.Out}}}
  mapping: {template: t.yaml, scope: regional, parameters: {Input: {output: certificate.Out}, More: {output: lambda.Out}}}
  records:
    template: t.yaml
    scope: global
    parameters: {Input: {output: mapping.Out, region: primary}, More: {output: mapping.Out, region: secondary}}
"""


@cache
def make_graph(
    code: bytes = b"1",
    thing: str = "Thing'",
    stage: str = "",
    graph: str = GRAPH,
    parameter: str = "",
) -> Graph:
    """The graph of a small stage: `thing` is what stands for the resource, `stage` its lines in the
    configuration.
    """
    config = parse_config(
        f'project = "hello"\ndomain = "example.com"\nregions = ["{EAST}", "{WEST}"]\n[stages.dev]\n{stage}',
        "c",
    )
    template = TEMPLATE.replace("Thing'", thing).replace(
        "Default: ''}, More", f"Default: ''{parameter}}}, More"
    )
    packages = {"function": build_package("function", {"handler.py": code})}
    return build_graph(
        config,
        config.stage("dev"),
        parse_graph_file(graph, "stacks.yaml"),
        {"t.yaml": parse_template(template, "t.yaml")},
        packages,
    )


Answer = TypeVar("Answer")
BAD_ENDS = {
    "CREATE": "ROLLBACK_COMPLETE",
    "UPDATE": "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK": "UPDATE_ROLLBACK_FAILED",
    "DELETE": "DELETE_FAILED",
}


@dataclass
class VirtualClock:
    """Time that passes when someone sleeps."""

    time: float = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += max(seconds, 0.0)


class InlineRunner:
    """Runs each task at once."""

    def submit(self, task: Callable[[], None]) -> None:
        task()


class Killed(BaseException):
    """The process ends here: nothing of it runs any more."""


@dataclass
class _Operation:
    """A change under way: what the stack becomes and when."""

    action: str
    token: str
    begun: float
    ends: float
    fails: str
    request: StackRequest | None
    ends_as: str = ""
    fingerprint: str | None = None


@dataclass
class _Held:
    """A stack and its history."""

    stack: Stack
    operation: _Operation | None = None
    events: list[StackEvent] = field(default_factory=list)


@cache
def _parsed(body: str) -> Any:
    return load_yaml(body, "the request")


@dataclass
class SimulatedStacks:
    """The Stacks port. By stack name: `durations` in seconds, `failures` with their cause; `stale`
    answers show the past.

    With `kill_at` the process ends at that call: before it has an effect, or after it, the answer
    being lost.
    """

    clock: VirtualClock
    durations: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    stale: int = 0
    kill_at: tuple[int, str] = (0, "before")
    killed: type[BaseException] = Killed
    held: dict[tuple[str, str], _Held] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    history: list[tuple[float, str, str, str]] = field(default_factory=list)
    _shown: dict[str, tuple[int, Stack]] = field(default_factory=dict)
    _ended_at: float | None = None

    def list(self, region: str) -> Mapping[str, Stack]:
        self._call("list", region)
        return self._answer(
            {each.stack.name: self._maybe_stale(each.stack) for each in self._living(region)}
        )

    def get(self, region: str, stack_id: str) -> Stack:
        self._call("get", region)
        return self._answer(self._maybe_stale(self.held[region, stack_id].stack))

    def create(self, region: str, request: StackRequest) -> str:
        self._call("create", region)
        for held in self._living(region):
            if held.stack.name == request.name:
                if held.events[0].token == request.token:
                    return held.stack.id
                raise StackExists(f"{request.name} exists already")
        stack_id = f"arn:{region}:{request.name}:{len(self.held)}"
        stack = Stack(
            request.name, stack_id, StackStatus.CREATE_IN_PROGRESS, {}, protected=request.protected
        )
        self.held[region, stack_id] = _Held(stack)
        self._begin(region, stack_id, "CREATE", request.token, request)
        return self._answer(stack_id)

    def update(self, region: str, request: StackRequest) -> str | None:
        self._call("update", region)
        held = next(each for each in self._living(region) if each.stack.name == request.name)
        if held.operation and held.operation.token == request.token:
            return held.stack.id
        self._begin(region, held.stack.id, "UPDATE", request.token, request)
        return self._answer(held.stack.id)

    def delete(self, region: str, stack_id: str, token: str) -> None:
        self._call("delete", region)
        if any(each.token == token for each in self.held[region, stack_id].events):
            return  # the same call again
        assert not self.held[region, stack_id].stack.protected, "it has termination protection"
        self._begin(region, stack_id, "DELETE", token, None)
        self._answer(None)

    def continue_rollback(self, region: str, stack_id: str, token: str) -> None:
        self._call("continue", region)
        assert self.held[region, stack_id].stack.status is StackStatus.UPDATE_ROLLBACK_FAILED
        self._begin(region, stack_id, "UPDATE_ROLLBACK", token, None)
        self._answer(None)

    def cancel_update(self, region: str, stack_id: str, token: str) -> None:
        self._call("cancel", region)
        held = self.held[region, stack_id]
        assert held.operation
        assert held.stack.status is StackStatus.UPDATE_IN_PROGRESS
        held.operation.token, held.operation.ends_as = token, "UPDATE_ROLLBACK_COMPLETE"
        held.operation.ends = self.clock.now() + 1.0
        self._set(held, "UPDATE_ROLLBACK_IN_PROGRESS", token)
        self._answer(None)

    def protect(self, region: str, stack_id: str, *, on: bool) -> None:
        self._call("protect", region)
        held = self.held[region, stack_id]
        held.stack = replace(held.stack, protected=on)
        self._answer(None)

    def events(self, region: str, stack_id: str, *tokens: str) -> Sequence[StackEvent]:
        self._call("events", region)
        return self._answer(
            [each for each in reversed(self.held[region, stack_id].events) if each.token in tokens]
        )

    def latest_events(self, region: str, stack_id: str) -> Sequence[StackEvent]:
        self._call("latest", region)
        return self._answer(list(reversed(self.held[region, stack_id].events))[:100])

    def find(self, name: str, region: str) -> Stack:
        """The one living stack of that name."""
        (held,) = [each for each in self._living(region) if each.stack.name == name]
        return held.stack

    def put(self, name: str, region: str, status: StackStatus, reason: str = "") -> None:
        """Bring a stack into a state, as someone else or AWS would have."""
        held = next(each for each in self._living(region) if each.stack.name == name)
        held.operation = None
        held.stack = replace(held.stack, status=status, reason=reason)

    def _living(self, region: str) -> Sequence[_Held]:
        return [
            each
            for (where, _), each in self.held.items()
            if where == region and each.stack.status is not StackStatus.DELETE_COMPLETE
        ]

    def _call(self, what: str, region: str) -> None:
        self.calls.append((what, region))
        if self.kill_at == (len(self.calls), "before"):
            raise Killed
        self._advance()

    def _answer(self, answer: Answer) -> Answer:
        if self.kill_at == (len(self.calls), "after"):
            raise Killed
        return answer

    def _begin(
        self, region: str, stack_id: str, action: str, token: str, request: StackRequest | None
    ) -> None:
        held = self.held[region, stack_id]
        now = self.clock.now()
        self.history.append((now, action, held.stack.name, region))
        self._shown[stack_id] = (self.stale, held.stack)
        held.operation = _Operation(
            action,
            token,
            now,
            now + self.durations.get(held.stack.name, 1.0),
            self.failures.get(held.stack.name, ""),
            request,
        )
        held.operation.fingerprint = held.stack.fingerprint
        if request:
            held.stack = replace(
                held.stack, fingerprint=fingerprint_in(_parsed(request.body)["Description"])
            )
        if action != "DELETE":
            held.stack = replace(held.stack, changed_at=str(now))
        self._set(held, f"{action}_IN_PROGRESS", token)

    def _advance(self) -> None:
        for held in self.held.values():
            done = held.operation
            if done is None or done.ends > self.clock.now():
                continue
            held.operation, self._ended_at = None, done.ends
            if done.action == "UPDATE" and (done.fails or done.ends_as):
                held.stack = replace(held.stack, fingerprint=done.fingerprint)
            if done.fails:
                self._event(
                    held,
                    "Thing",
                    "AWS::Some::Thing",
                    f"{done.action.removesuffix('_ROLLBACK')}_FAILED",
                    done.fails,
                    done.token,
                )
                self._event(
                    held,
                    "Other",
                    "AWS::Some::Thing",
                    f"{done.action.removesuffix('_ROLLBACK')}_FAILED",
                    "Resource creation cancelled",
                    done.token,
                )
                self._set(held, BAD_ENDS[done.action], done.token)
            elif done.ends_as:
                self._set(held, done.ends_as, done.token)
            else:
                self._set(held, f"{done.action}_COMPLETE", done.token, done.request)
            self._ended_at = None

    def _set(
        self, held: _Held, status: str, token: str, request: StackRequest | None = None
    ) -> None:
        old = held.stack
        outputs = old.outputs
        if request:
            document = _parsed(request.body)
            outputs = {
                name: f"{request.name}.{name}({','.join(sorted(request.parameters.values()))})"
                for name in document.get("Outputs", {})
            }
        held.stack = replace(old, status=StackStatus(status), outputs=outputs)
        self._event(held, old.name, STACK_TYPE, status, "", token, old.id)

    def _event(
        self,
        held: _Held,
        logical: str,
        kind: str,
        status: str,
        reason: str,
        token: str,
        physical: str = "",
    ) -> None:
        now = self.clock.now() if self._ended_at is None else self._ended_at
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(
            seconds=now, microseconds=len(held.events)
        )
        held.events.append(StackEvent(at, logical, kind, status, reason, token, physical))

    def _maybe_stale(self, stack: Stack) -> Stack:
        left, past = self._shown.get(stack.id, (0, stack))
        if left <= 0:
            return stack
        self._shown[stack.id] = (left - 1, past)
        return past


@dataclass
class SimulatedBuckets:
    """The Buckets port in memory."""

    stored: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def put(self, region: str, bucket: str, package: Package) -> bool:
        keys = self.stored.setdefault((region, bucket), set())
        new = package.key not in keys
        keys.add(package.key)
        return new

    def empty(self, region: str, bucket: str) -> int:
        return len(self.stored.pop((region, bucket), set()))


@pytest.fixture
def stacks() -> SimulatedStacks:
    return SimulatedStacks(VirtualClock())


@pytest.fixture
def buckets() -> SimulatedBuckets:
    return SimulatedBuckets()


@pytest.fixture
def runner() -> InlineRunner:
    return InlineRunner()


@dataclass
class SimulatedLocks:
    """The Locks port in memory."""

    held: dict[tuple[str, str], str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def read(self, region: str, name: str) -> str | None:
        self.calls.append("read")
        return self.held.get((region, name))

    def make(self, region: str, name: str, value: str) -> bool:
        self.calls.append("make")
        return self.held.setdefault((region, name), value) is value

    def renew(self, region: str, name: str, value: str) -> None:
        self.calls.append("renew")
        self.held[region, name] = value

    def remove(self, region: str, name: str) -> None:
        self.calls.append("remove")
        self.held.pop((region, name), None)


@pytest.fixture
def graph_of() -> Callable[..., Graph]:
    return make_graph


@pytest.fixture
def ports(stacks: SimulatedStacks, buckets: SimulatedBuckets, runner: InlineRunner) -> DeployPorts:
    return DeployPorts(stacks, buckets, stacks.clock, runner)


@pytest.fixture
def run(ports: DeployPorts) -> Callable[..., tuple[Outcome, list[Event]]]:
    return _run_on(ports)


@pytest.fixture
def fresh() -> Callable[[], tuple[SimulatedStacks, Callable[..., tuple[Outcome, list[Event]]]]]:
    """Makes an empty cloud, and what deploys to it."""

    def fresh() -> tuple[SimulatedStacks, Callable[..., tuple[Outcome, list[Event]]]]:
        stacks = SimulatedStacks(VirtualClock())
        return stacks, _run_on(
            DeployPorts(stacks, SimulatedBuckets(), stacks.clock, InlineRunner())
        )

    return fresh


def _run_on(ports: DeployPorts) -> Callable[..., tuple[Outcome, list[Event]]]:
    def run(
        graph: Graph | None = None, work: Callable[..., Outcome] = deploy, **more: Any
    ) -> tuple[Outcome, list[Event]]:
        events: list[Event] = []
        return work(graph or make_graph(), ports, events.append, **more), events

    return run


@pytest.fixture
def locks() -> SimulatedLocks:
    return SimulatedLocks()
