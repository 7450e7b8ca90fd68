"""A CloudFormation that lives in memory on a virtual clock, for the deploy work's tests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from deploytool.core.errors import DeploytoolError
from deploytool.core.package import Package
from deploytool.core.stacks import STACK_TYPE, Stack, StackEvent, StackRequest, StackStatus
from deploytool.core.template import fingerprint_in, load_yaml


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


@dataclass
class _Operation:
    """A change under way: what the stack becomes and when."""

    action: str
    token: str
    begun: float
    ends: float
    fails: str
    request: StackRequest | None


@dataclass
class _Held:
    """A stack and its history."""

    stack: Stack
    operation: _Operation | None = None
    events: list[StackEvent] = field(default_factory=list)


@dataclass
class SimulatedStacks:
    """The Stacks port. By stack name: `durations` in seconds, `failures` with their cause; `stale` answers show the past."""

    clock: VirtualClock
    durations: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    stale: int = 0
    held: dict[tuple[str, str], _Held] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    history: list[tuple[float, str, str, str]] = field(default_factory=list)
    _shown: dict[str, tuple[int, Stack]] = field(default_factory=dict)

    def list(self, region: str) -> Mapping[str, Stack]:
        self.calls.append(("list", region))
        self._advance()
        found = {each.stack.name: self._maybe_stale(each.stack) for (where, _), each in self.held.items() if where == region}
        return {name: stack for name, stack in found.items() if stack.status is not StackStatus.DELETE_COMPLETE}

    def get(self, region: str, stack_id: str) -> Stack:
        self.calls.append(("get", region))
        self._advance()
        return self._maybe_stale(self.held[region, stack_id].stack)

    def create(self, region: str, request: StackRequest) -> str:
        if any(
            each.stack.name == request.name and each.stack.status is not StackStatus.DELETE_COMPLETE
            for (where, _), each in self.held.items()
            if where == region
        ):
            raise DeploytoolError(f"{request.name} exists already")
        stack_id = f"arn:{region}:{request.name}:{len(self.held)}"
        self.held[region, stack_id] = _Held(Stack(request.name, stack_id, StackStatus.CREATE_IN_PROGRESS, {}))
        self._begin(region, stack_id, "CREATE", request.token, request)
        return stack_id

    def update(self, region: str, request: StackRequest) -> str | None:
        stack_id = next(key for (where, key), each in self.held.items() if where == region and each.stack.name == request.name)
        self._begin(region, stack_id, "UPDATE", request.token, request)
        return stack_id

    def delete(self, region: str, stack_id: str, token: str) -> None:
        self._begin(region, stack_id, "DELETE", token, None)

    def events(self, region: str, stack_id: str, token: str) -> Sequence[StackEvent]:
        self.calls.append(("events", region))
        self._advance()
        return [each for each in reversed(self.held[region, stack_id].events) if each.token == token]

    def _begin(self, region: str, stack_id: str, action: str, token: str, request: StackRequest | None) -> None:
        self.calls.append((action.lower(), region))
        held = self.held[region, stack_id]
        now = self.clock.now()
        self.history.append((now, action, held.stack.name, region))
        self._shown[stack_id] = (self.stale, held.stack)
        held.operation = _Operation(
            action, token, now, now + self.durations.get(held.stack.name, 1.0), self.failures.get(held.stack.name, ""), request
        )
        self._set(held, f"{action}_IN_PROGRESS", token)

    def _advance(self) -> None:
        for held in self.held.values():
            done = held.operation
            if done is None or done.ends > self.clock.now():
                continue
            held.operation = None
            if done.fails:
                self._event(held, "Thing", "AWS::Some::Thing", f"{done.action}_FAILED", done.fails, done.token)
                self._event(held, "Other", "AWS::Some::Thing", f"{done.action}_FAILED", "Resource creation cancelled", done.token)
                self._set(
                    held,
                    {"CREATE": "ROLLBACK_COMPLETE", "UPDATE": "UPDATE_ROLLBACK_COMPLETE", "DELETE": "DELETE_FAILED"}[done.action],
                    done.token,
                )
            else:
                self._set(held, f"{done.action}_COMPLETE", done.token, done.request)

    def _set(self, held: _Held, status: str, token: str, request: StackRequest | None = None) -> None:
        old = held.stack
        outputs, fingerprint = old.outputs, old.fingerprint
        if request:
            document = load_yaml(request.body, request.name)
            outputs = {
                name: f"{request.name}.{name}({','.join(sorted(request.parameters.values()))})"
                for name in document.get("Outputs", {})
            }
            fingerprint = fingerprint_in(document["Description"])
        held.stack = Stack(old.name, old.id, StackStatus(status), outputs, fingerprint, "", str(self.clock.now()))
        self._event(held, old.name, STACK_TYPE, status, "", token, old.id)

    def _event(self, held: _Held, logical: str, kind: str, status: str, reason: str, token: str, physical: str = "") -> None:
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.clock.now(), microseconds=len(held.events))
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
