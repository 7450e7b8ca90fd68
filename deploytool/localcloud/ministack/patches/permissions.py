"""IAM enforcement (`--enforce-iam`) where MiniStack looks less closely than AWS, and a log of what
was asked and allowed.

What is mended: the resource of a schedule in a group of its own, of a health check and of a change
set that is named by its ARN; the action of a call on a function's concurrency; the condition keys
of record sets; `iam:PassRole` for the role that a stack, a schedule or a function is given; and
`cloudformation:ListStacks` for DescribeStacks without a name. Sources: Service Authorization
Reference (resource types and condition keys of each action); IAM User Guide, "Grant a user
permissions to pass a role to an AWS service"; CloudFormation API reference, DescribeStacks.
"""

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from deploytool.localcloud.ministack.emulator import MiniStack

LOGGED = 50_000  # checks that are kept
_CONCURRENCY = {
    "GET": "lambda:GetFunctionConcurrency",
    "DELETE": "lambda:DeleteFunctionConcurrency",
}


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


def further_checks(
    service: str, action: str, query: Mapping[str, Any], body: bytes
) -> tuple[Check, ...]:
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


def record_keys(body: bytes) -> dict[str, list[str]]:
    """The condition keys of ChangeResourceRecordSets: the actions, types and normalized names that
    are in its XML.
    """
    prefix, text = "route53:ChangeResourceRecordSets", body.decode("utf-8", "replace")
    names = [name.rstrip(".").lower() for name in re.findall(r"<Name>([^<]*)</Name>", text)]
    actions, types = (re.findall(rf"<{tag}>([^<]*)</{tag}>", text) for tag in ("Action", "Type"))
    return {
        f"{prefix}Actions": actions,
        f"{prefix}RecordTypes": types,
        f"{prefix}NormalizedRecordNames": names,
    }


class _Enforcement:
    """MiniStack's functions, mended; each has the name of the one whose place it takes."""

    def __init__(self, ministack: MiniStack, log: AccessLog) -> None:
        self._ministack, self._log = ministack, log
        self._evaluator, self._actions = ministack.iam_evaluator, ministack.iam_actions
        self._their_enforce, self._their_action = (
            self._evaluator.enforce,
            self._actions.extract_iam_action,
        )
        self._their_resource, self._their_denial = (
            self._actions.extract_resource_arn,
            self._actions.access_denied_response,
        )
        self._waiting: ContextVar[tuple[Check, ...]] = ContextVar("further_checks", default=())
        self._keys: ContextVar[Mapping[str, list[str]]] = ContextVar("condition_keys")
        self._refused: ContextVar[Check | None] = ContextVar("refused_check", default=None)

    def extract_iam_action(
        self,
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Any,
    ) -> str | None:
        theirs: str | None = self._their_action(service, method, path, headers, body, query)
        if service == "lambda" and path.rstrip("/").endswith("/concurrency"):
            return _CONCURRENCY.get(method, theirs)
        return theirs

    def extract_resource_arn(
        self,
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Any,
        *rest: str,
    ) -> str:
        theirs: str = self._their_resource(service, method, path, headers, body, query, *rest)
        action = self.extract_iam_action(service, method, path, headers, body, query) or ""
        form = (
            {**query, **parse_qs(body.decode("latin-1"))} if service == "cloudformation" else query
        )
        self._waiting.set(further_checks(service, action, form, body))
        self._keys.set(record_keys(body) if action == "route53:ChangeResourceRecordSets" else {})
        if (
            service == "cloudformation"
            and theirs == "*"
            and (named := _first(form, "ChangeSetName"))
        ):
            change_set = self._ministack.cloudformation._change_sets.get(named)
            return str(change_set["StackId"]) if change_set else theirs
        return resource_of(service, path, form, body, theirs)

    def enforce(
        self,
        key: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Any = None,
    ) -> Any:
        checks = self._waiting.get()
        self._waiting.set(())
        context = {**(service_context or {}), **self._keys.get({})}
        self._keys.set({})
        denied = self._their_enforce(key, action, service, region, resource_arn, context)
        self._note(key, Check(action, resource_arn), denied)
        for check in () if denied else checks:
            denied = self._their_enforce(
                key,
                check.action,
                check.action.partition(":")[0],
                region,
                check.resource,
                check.context,
            )
            self._note(key, check, denied)
            if denied:
                self._refused.set(check)
                break
        return denied

    def access_denied_response(
        self, service: str, action: str, *arguments: Any, **named: Any
    ) -> Any:
        if check := self._refused.get():
            self._refused.set(None)
            return self._their_denial(
                service, check.action, *arguments, **{**named, "resource_arn": check.resource}
            )
        return self._their_denial(service, action, *arguments, **named)

    def pin_request_origin(self, address: str, _secure: bool) -> None:  # noqa: FBT001 - MiniStack's
        """The local API is plain HTTP on loopback. It counts as HTTPS, as AWS's own is: else a
        bucket would refuse all.
        """
        self._evaluator.pin_request_origin(address, True)

    def _note(self, key: str, check: Check, denied: object) -> None:
        found = self._evaluator.resolve_principal(
            key or "", self._ministack.responses.get_account_id()
        )
        self._log.note(
            Access(
                str(getattr(found, "arn", key)), check.action, check.resource, allowed=not denied
            )
        )


def install(ministack: MiniStack, log: AccessLog) -> None:
    """Let the checks be AWS's, and note each."""
    mended, actions = _Enforcement(ministack, log), ministack.iam_actions
    ministack.app.pin_request_origin = mended.pin_request_origin
    ministack.iam_evaluator.enforce = mended.enforce
    actions.extract_iam_action, actions.extract_resource_arn = (
        mended.extract_iam_action,
        mended.extract_resource_arn,
    )
    actions.access_denied_response = mended.access_denied_response


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
