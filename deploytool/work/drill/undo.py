"""Undoes what a drill broke, step by step, and reads back the result. Repeatable."""

from collections.abc import Iterable

from deploytool.core.drill.ports import DrillPorts, Edges
from deploytool.core.drill.record import (
    RestoreConcurrency,
    RestoreEdge,
    RestoreHealthCheck,
    RestoreMapping,
    RestoreSwitch,
    UndoStep,
)
from deploytool.core.errors import DeploytoolError, StaleVersion
from deploytool.core.failover.records import METRIC, SwitchRecord, parameter_name
from deploytool.core.service.ports import ApiMapping, HealthChecks
from deploytool.work.drill.switch import is_held_by_command, release

# Of a compare-and-swap. After so many lost ones another process keeps changing the health check
ATTEMPTS = 5


def undo(ports: DrillPorts, steps: Iterable[UndoStep]) -> None:
    """Undo every step even if one fails. Raises the first failure at the end."""
    failures: list[DeploytoolError] = []
    for step in steps:
        try:
            _undo(ports, step)
        except DeploytoolError as error:
            failures.append(error)
    if failures:
        raise failures[0]


def is_undone(ports: DrillPorts, steps: Iterable[UndoStep]) -> bool:
    """Return whether AWS returns the values of every step."""
    return all(_is_undone(ports, step) for step in steps)


def in_words(step: UndoStep) -> str:
    """Return the API call that undoes a step, as text."""
    match step:
        case RestoreHealthCheck(id_, inverted):
            return f"route53:UpdateHealthCheck {id_} Inverted={str(inverted).lower()}"
        case RestoreConcurrency(region, function, None):
            return f"lambda:DeleteFunctionConcurrency {function} in {region}"
        case RestoreConcurrency(region, function, reserved):
            return f"lambda:PutFunctionConcurrency {function} in {region} ReservedConcurrentExecutions={reserved}"
        case RestoreMapping(region, domain, base_path, rest_api, stage):
            return f"apigateway:CreateBasePathMapping {domain} {base_path} in {region} to {rest_api}, stage {stage}"
        case RestoreEdge(region):
            return f"the local cloud's edge of {region}: serving"
        case RestoreSwitch(region, project, stage):
            name = parameter_name(project, stage, SwitchRecord)
            return f"ssm:PutParameter {name} in {region}: released, and cloudwatch:PutMetricData {METRIC} 0"


def _undo(ports: DrillPorts, step: UndoStep) -> None:
    match step:
        case RestoreHealthCheck(id_, inverted):
            _restore_health_check(ports.health_checks, id_, inverted=inverted)
        case RestoreConcurrency(region, function, reserved):
            ports.functions.set_reserved_concurrency(region, function, reserved)
        case RestoreMapping(region, domain, base_path, rest_api, stage):
            ports.mappings.create(region, domain, ApiMapping(base_path, rest_api, stage))
        case RestoreEdge(region):
            _edges(ports).set_condition(region, "serving")
        case RestoreSwitch():
            if not is_held_by_command(ports.standby.read(SwitchRecord)):
                release(ports, "the end of a drill")


def _is_undone(ports: DrillPorts, step: UndoStep) -> bool:
    match step:
        case RestoreHealthCheck(id_, inverted):
            return ports.health_checks.get(id_).config.inverted is inverted
        case RestoreConcurrency(region, function, reserved):
            return ports.functions.reserved_concurrency(region, function) == reserved
        case RestoreMapping(region, domain, base_path, rest_api, stage):
            return ApiMapping(base_path, rest_api, stage) in ports.mappings.of(region, domain)
        case RestoreEdge(region):
            return _edges(ports).condition(region) == "serving"
        case RestoreSwitch():
            record = ports.standby.read(SwitchRecord)
            return record is not None and (not record.held or is_held_by_command(record))


def _restore_health_check(health_checks: HealthChecks, id_: str, *, inverted: bool) -> None:
    """Write `Inverted`, even if it has the value already.

    Each write makes a new HealthCheckVersion. An injection that is still on its way because its
    answer was cut off names the old version, so Route 53 refuses it from then on.
    """
    for attempt in range(1, ATTEMPTS + 1):
        version = health_checks.get(id_).version
        try:
            health_checks.set_inverted(id_, inverted=inverted, version=version)
        except StaleVersion:
            if attempt == ATTEMPTS:
                raise
        else:
            return


def _edges(ports: DrillPorts) -> Edges:
    """Return the port to the edges. Raises DeploytoolError where the target has none."""
    if ports.edges is None:
        raise DeploytoolError(
            "this target cannot undo that drill", hint="restore on the target on which it was begun"
        )
    return ports.edges
