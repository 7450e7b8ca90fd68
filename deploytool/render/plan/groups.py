"""What the text and the Markdown of a plan share: its steps in groups, and short sentences."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.changes import PropertyChange, ResourceChange, StackChanges
from deploytool.core.stacks.drift import ResourceDrift, StackDrift
from deploytool.core.stacks.plan import Action, Decision, Step
from deploytool.render.marks import ACTIONS, UNCERTAIN, Mark
from deploytool.render.text import quantity, shortened
from deploytool.work.stacks.preview import Plan
from deploytool.work.stacks.stored_values import unread_lines

MOST_VALUE = 40  # characters of a property's value that are shown
IN_SYNC = "IN_SYNC"
NO_LONGER_IN_GRAPH = "no longer in the graph; deploytool leaves it"
COUNTED = {
    Action.CREATE: "to create",
    Action.UPDATE: "to update",
    Action.REPLACE: "to create anew",
    Action.CONTINUE: "to repair and update",
    Action.WAIT: "under way",
    Action.REFUSE: "refused",
    Action.NOTHING: "unchanged",
    Action.NOT_CHOSEN: "not chosen",
    Action.LATER: "left for a later run",
    Action.NOT_THERE: "not there",
    Action.LEFT: "left",
}


@dataclass(frozen=True)
class Group:
    """The equal steps of one stack in several regions.

    `pending` are the outputs that the step waits for, as stack and output, without the region.
    """

    stack: str
    regions: tuple[str, ...]
    decision: Decision
    pending: tuple[str, ...]
    changes: StackChanges | None
    problem: str

    @property
    def region_names(self) -> str:
        """The regions, separated by commas."""
        return ", ".join(self.regions)

    @property
    def estimate_reason(self) -> str:
        """Why the changes are an estimate."""
        if not self.pending:
            return "estimated: in its state the stack takes no change set"
        return f"estimated; known only once other stacks are done: {', '.join(self.pending)}"

    @property
    def mark(self) -> Mark:
        """The mark of what happens to the stack."""
        # A stack without a change is in a group only when another stack's output may change it
        if self.decision.action is Action.NOTHING:
            return UNCERTAIN
        return ACTIONS[self.decision.action]

    @property
    def summary(self) -> str:
        """What will be done and why."""
        if self.decision.action is Action.NOTHING:
            return f"unchanged unless these change: {', '.join(self.pending)}"
        return f"{self.decision.action}: {self.decision.reason}"


def groups(plan: Plan) -> list[Group]:
    """Group the steps that change something, or may change something.

    The groups are in the order of the plan, except that those which may change nothing come last.
    """
    steps_by_content: dict[object, list[Step]] = {}
    for step in plan.steps:
        if step.decision.action is Action.NOTHING and not step.pending:
            continue
        changes = plan.changes.get(step.node)
        problem = plan.problems.get(step.node)
        # Everything that would be printed, except the region
        content = (step.node.stack, step.decision, _pending(step), changes, problem)
        steps_by_content.setdefault(content, []).append(step)

    result = [_group(plan, steps) for steps in steps_by_content.values()]
    result.sort(key=lambda group: group.decision.action is Action.NOTHING)
    return result


def _group(plan: Plan, steps: list[Step]) -> Group:
    """Return the group of equal steps."""
    first = steps[0]
    return Group(
        stack=first.node.stack,
        regions=tuple(step.node.region for step in steps),
        decision=first.decision,
        pending=_pending(first),
        changes=plan.changes.get(first.node),
        problem=plan.problems.get(first.node, ""),
    )


def _pending(step: Step) -> tuple[str, ...]:
    """Return `stack.Output` for each `stack@region.Output` that a step waits for."""
    outputs: set[str] = set()
    for source in step.pending:
        stack = source.partition("@")[0]
        output = source.rpartition(".")[2]
        outputs.add(f"{stack}.{output}")
    return tuple(sorted(outputs))


def counts_line(plan: Plan) -> str:
    """Return a sentence that counts the steps by what they do."""
    counts = Counter(step.decision.action for step in plan.steps)
    # A plan without steps has nothing to do either
    if counts.keys() <= {Action.NOTHING}:
        return f"Nothing to do: {quantity(counts[Action.NOTHING], 'stack')} as desired."

    parts = [f"{counts[action]} {text}" for action, text in COUNTED.items() if counts[action]]
    return f"Stacks: {', '.join(parts)}."


def outage_lines(plan: Plan) -> Iterator[str]:
    """Yield what the plan lacks because an API does not answer, and which inputs keep values.

    Whether a stored value has changed may not be known either.
    """
    for region in plan.unreachable:
        lacking = "no stack can change what Route 53, IAM or CloudFront has"
        if region in plan.graph.all_regions:
            lacking = "what is there is not known, and nothing is planned there"
        yield f"The API of {region} does not answer: {lacking}."

    yield from unread_lines(plan.deployed)
    kept: dict[str, None] = {}
    for step in plan.steps:
        kept.update(dict.fromkeys(step.kept))
    if kept:
        yield f"Inputs that keep the deployed values: {', '.join(sorted(kept))}."


def interruptions(plan: Plan) -> list[tuple[NodeId, ResourceChange]]:
    """Return the changes that clients may notice."""
    result: list[tuple[NodeId, ResourceChange]] = []
    for node, changes in plan.changes.items():
        for change in changes.interrupting:
            result.append((node, change))
    return result


def value_change(change: PropertyChange) -> str:
    """Show a property with its value before and after the change."""
    return f"{change.path}: {_shown(change.before)} → {_shown(change.after)}"


def has_values(change: PropertyChange) -> bool:
    """Return whether one of the values of a property is known and may be shown."""
    return change.before is not None or change.after is not None


def drift_summary(drift: StackDrift) -> str:
    """Describe the drift of a stack."""
    descriptions = {
        "DRIFTED": "drifted: changed outside CloudFormation",
        "NOT_CHECKED": "drift not checked",
        "UNKNOWN": "drift unknown",
    }
    description = descriptions.get(drift.status, drift.status)
    if not drift.reason:
        return description
    return f"{description}: {drift.reason}"


def drifted_stacks(plan: Plan) -> dict[NodeId, StackDrift]:
    """Return the stacks that drifted, or of which that is not known."""
    return {node: drift for node, drift in plan.drifts.items() if drift.status != IN_SYNC}


def drift_count(plan: Plan) -> str:
    """Return a sentence that counts the stacks without drift."""
    total = len(plan.drifts)
    in_sync = total - len(drifted_stacks(plan))
    return f"No drift in {in_sync} of {quantity(total, 'deployed stack')}."


def unchecked_types(plan: Plan) -> list[tuple[str, int]]:
    """Return the types of the resources that the detection left out, with how many there are."""
    counts: Counter[str] = Counter()
    for drift in plan.drifts.values():
        counts.update(resource.type for resource in drift.unchecked or ())
    return sorted(counts.items())


def unchecked_summary(plan: Plan) -> list[str]:
    """Say what the drift of a plan does not tell: one sentence for each reason."""
    sentences: list[str] = []
    count = sum(number for _, number in unchecked_types(plan))
    if count:
        sentences.append(
            f"Not compared: {quantity(count, 'resource')} of types that CloudFormation cannot compare."
        )

    unlisted = sum(drift.unchecked is None for drift in plan.drifts.values())
    if unlisted:
        sentences.append(
            f"What was not compared in {quantity(unlisted, 'stack')} is not known:"
            " cloudformation:ListStackResources is refused."
        )
    return sentences


def differences(drift: ResourceDrift) -> list[tuple[str, str, str]]:
    """Return the path, the expected and the actual value of each difference, shortened."""
    return [
        (difference.path, _shown(difference.expected), _shown(difference.actual))
        for difference in drift.differences
    ]


def _shown(value: str | None) -> str:
    if value is None:
        return "(none)"
    return shortened(" ".join(value.split()), MOST_VALUE)
