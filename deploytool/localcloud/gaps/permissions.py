"""IAM enforcement (`--enforce-iam`) where MiniStack looks less closely than AWS, and a log of what was asked and allowed.

What is mended: the resource of a schedule in a group of its own, of a health check and of a change set that is named by its ARN;
`iam:PassRole` for the role that a stack, a schedule or a function is given; and `cloudformation:ListStacks` for DescribeStacks
without a name. Sources: Service Authorization Reference (resource types of each action); IAM User Guide, "Grant a user
permissions to pass a role to an AWS service"; CloudFormation API reference, DescribeStacks, StackName.
"""

# ruff: noqa: ANN401, SLF001 - MiniStack has neither types nor public names for its state

import json
from collections import deque
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from deploytool.localcloud.emulator import MiniStack

LOGGED = 50_000  # checks that are kept


@dataclass(frozen=True)
class Check:
    """One permission that a call needs, with the condition keys that this one adds."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Access:
    """A check that was made: `principal` is an ARN."""

    principal: str
    action: str
    resource: str
    allowed: bool


class AccessLog:
    """The latest checks, oldest first. Without enforcement there are none."""

    def __init__(self) -> None:
        self._kept: deque[Access] = deque(maxlen=LOGGED)

    def note(self, access: Access) -> None:
        """Append one."""
        self._kept.append(access)

    def entries(self) -> Sequence[Access]:
        """All that are kept."""
        return tuple(self._kept)


def resource_of(service: str, path: str, query: Mapping[str, Any], body: bytes, theirs: str) -> str:
    """The ARN that a call is checked on; `theirs` is what MiniStack takes."""
    parts = [unquote(part) for part in path.split("/") if part]
    match service, parts:
        case "scheduler", ["schedules", name]:
            group = _first(query, "groupName") or _json(body).get("GroupName") or "default"
            return f"{theirs.rpartition(':schedule/')[0]}:schedule/{group}/{name}"
        case "route53", [_, "healthcheck", id_, *_]:
            return f"arn:aws:route53:::healthcheck/{id_}"
    return theirs


def further_checks(service: str, action: str, query: Mapping[str, Any], body: bytes) -> tuple[Check, ...]:
    """What a call needs beside its own action."""
    match service, action.partition(":")[2]:
        case "cloudformation", "DescribeStacks" if not _first(query, "StackName"):
            return (Check("cloudformation:ListStacks", "*"),)
        case "cloudformation", _:
            return _passed(_first(query, "RoleARN"), service)
        case "scheduler", "CreateSchedule" | "UpdateSchedule":
            return _passed((_json(body).get("Target") or {}).get("RoleArn"), service)
        case "lambda", "CreateFunction" | "UpdateFunctionConfiguration":
            return _passed(_json(body).get("Role"), service)
    return ()


def install(ministack: MiniStack, log: AccessLog) -> None:
    """Let the checks be AWS's, and note each. Where nothing is enforced MiniStack makes none."""
    actions, evaluator = ministack.iam_actions, ministack.iam_evaluator
    their_resource, their_enforce = actions.extract_resource_arn, evaluator.enforce
    their_denial, extract_action = actions.access_denied_response, actions.extract_iam_action
    waiting: ContextVar[tuple[Check, ...]] = ContextVar("further_checks", default=())
    refused: ContextVar[Check | None] = ContextVar("refused_check", default=None)

    def extract_resource_arn(
        service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any, *rest: str
    ) -> str:
        theirs = their_resource(service, method, path, headers, body, query, *rest)
        action = extract_action(service, method, path, headers, body, query) or ""
        form = {**query, **parse_qs(body.decode("latin-1"))} if service == "cloudformation" else query
        waiting.set(further_checks(service, action, form, body))
        if service == "cloudformation" and theirs == "*" and (named := _first(form, "ChangeSetName")):
            return _stack_of(ministack, named) or theirs
        return resource_of(service, path, form, body, theirs)

    def enforce(key: str, action: str, service: str, region: str, resource_arn: str = "*", service_context: Any = None) -> Any:
        checks = waiting.get()
        waiting.set(())
        denied = their_enforce(key, action, service, region, resource_arn, service_context)
        _note(key, Check(action, resource_arn), denied)
        for check in () if denied else checks:
            denied = their_enforce(key, check.action, check.action.partition(":")[0], region, check.resource, check.context)
            _note(key, check, denied)
            if denied:
                refused.set(check)
                break
        return denied

    def _note(key: str, check: Check, denied: object) -> None:
        found = evaluator.resolve_principal(key or "", ministack.responses.get_account_id())
        log.note(Access(str(getattr(found, "arn", key)), check.action, check.resource, allowed=not denied))

    def access_denied_response(service: str, action: str, *arguments: Any, **named: Any) -> Any:
        if check := refused.get():
            refused.set(None)
            return their_denial(service, check.action, *arguments, **{**named, "resource_arn": check.resource})
        return their_denial(service, action, *arguments, **named)

    actions.extract_resource_arn, evaluator.enforce = extract_resource_arn, enforce
    actions.access_denied_response = access_denied_response


def _passed(role: object, service: str) -> tuple[Check, ...]:
    passed = {"iam:PassedToService": f"{service}.amazonaws.com"}
    return (Check("iam:PassRole", str(role), passed),) if role else ()


def _first(query: Mapping[str, Any], name: str) -> str:
    value = query.get(name) or ""
    return str(value[0] if isinstance(value, list) else value)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _stack_of(ministack: MiniStack, change_set: str) -> str | None:
    """The ARN of the stack that a change set is for."""
    found = ministack.cloudformation._change_sets.get(change_set)
    return str(found["StackId"]) if found else None
