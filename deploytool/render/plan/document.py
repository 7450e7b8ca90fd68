"""A plan as a JSON document, for programs."""

from dataclasses import asdict
from typing import Any

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.changes import PropertyChange, ResourceChange
from deploytool.core.stacks.drift import Difference, ResourceDrift, StackDrift
from deploytool.core.stacks.plan import Step
from deploytool.core.stacks.stack import Stack
from deploytool.work.stacks.preview import Plan
from deploytool.work.stacks.stored_values import unread_lines


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return a plan with every step, also those that change nothing."""
    return {
        "project": plan.graph.project,
        "stage": plan.graph.stage,
        "ok": plan.ok,
        "steps": [_step(plan, step) for step in plan.steps],
        "no_longer_in_graph": [_stack(region, stack) for region, stack in plan.not_in_graph],
        "unreachable": list(plan.unreachable),
        "unread_values": list(unread_lines(plan.deployed)),
        "drift": [_stack_drift(node, drift) for node, drift in plan.drifts.items()],
    }


def _stack(region: str, stack: Stack) -> dict[str, str]:
    return {"name": stack.name, "region": region, "id": stack.id}


def _step(plan: Plan, step: Step) -> dict[str, Any]:
    changes = plan.changes.get(step.node)
    known_from = None
    resources: list[dict[str, Any]] = []
    if changes is not None:
        known_from = str(changes.source)
        resources = [_resource(change) for change in changes.resources]
    return {
        "stack": step.node.stack,
        "region": step.node.region,
        "action": step.decision.action.name.lower(),
        "reason": step.decision.reason,
        "pending": list(step.pending),
        "kept_inputs": list(step.kept),
        "problem": plan.problems.get(step.node),
        "known_from": known_from,
        "resources": resources,
    }


def _resource(change: ResourceChange) -> dict[str, Any]:
    return {
        "effect": str(change.effect),
        "logical_id": change.logical_id,
        "type": change.type,
        "interrupts_traffic": change.interrupts,
        "properties": [_property(property_change) for property_change in change.properties],
    }


def _property(change: PropertyChange) -> dict[str, str | None]:
    return {"path": change.path, "before": change.before, "after": change.after}


def _stack_drift(node: NodeId, drift: StackDrift) -> dict[str, Any]:
    return {
        "stack": node.stack,
        "region": node.region,
        "status": drift.status,
        "reason": drift.reason,
        "resources": [_resource_drift(resource) for resource in drift.resources],
        "unchecked": _unchecked(drift),
    }


def _unchecked(drift: StackDrift) -> list[dict[str, str]] | None:
    """Return the resources that the detection left out; None when they are not known."""
    if drift.unchecked is None:
        return None
    return [asdict(resource) for resource in drift.unchecked]


def _resource_drift(drift: ResourceDrift) -> dict[str, Any]:
    return {
        "logical_id": drift.logical_id,
        "type": drift.type,
        "status": drift.status,
        "differences": [_difference(difference) for difference in drift.differences],
    }


def _difference(difference: Difference) -> dict[str, str]:
    return {
        "path": difference.path,
        "expected": difference.expected,
        "actual": difference.actual,
    }
