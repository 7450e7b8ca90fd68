"""IAM enforcement (`--enforce-iam`) where MiniStack checks less than AWS, and a log of the checks.

These are corrected: the resource of a schedule in a group of its own, of a health check, of
DescribeAlarms and of a change set that is named by its ARN; the action of a call on a function's
concurrency; the condition keys of record sets and of PutMetricData; `iam:PassRole` for the role
that a stack, a schedule or a function is given; and `cloudformation:ListStacks` for DescribeStacks
without a name. Sources: Service Authorization Reference (resource types and condition keys of each
action); IAM User Guide, "Grant a user permissions to pass a role to an AWS service"; CloudFormation
API reference, DescribeStacks.
"""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from deploytool.localcloud.ministack.patches.condition_keys import ConditionKeys, condition_keys
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "app.pin_request_origin": "the local API is plain HTTP, and bucket policies require HTTPS",
    "iam_evaluator.enforce": "iam:PassRole, ListStacks and some condition keys are missing",
    "iam_actions.extract_iam_action": "calls on a function's concurrency have the wrong action",
    "iam_actions.extract_resource_arn": "schedules, health checks and change sets lack their ARN",
    "iam_actions.access_denied_response": "the denial names the call and not the missing permission",
}

# How many of the latest checks the log keeps
LOGGED = 50_000
_CONCURRENCY = {
    "GET": "lambda:GetFunctionConcurrency",
    "DELETE": "lambda:DeleteFunctionConcurrency",
}


@dataclass(frozen=True)
class Check:
    """One permission that a call needs, with the condition keys that it adds."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def checks(
    actions: Sequence[str], resource: str, context: Mapping[str, str] | None = None
) -> list[Check]:
    """Return the permissions for several actions on one resource."""
    return [Check(action, resource, context or {}) for action in actions]


@dataclass(frozen=True)
class Access:
    """A check and its result. `principal` is an ARN."""

    principal: str
    action: str
    resource: str
    allowed: bool


class AccessLog:
    """The latest checks, oldest first. Without enforcement there are none."""

    def __init__(self) -> None:
        self._kept: deque[Access] = deque(maxlen=LOGGED)

    def note(self, access: Access) -> None:
        """Append a check, and drop the oldest one of more than LOGGED."""
        self._kept.append(access)

    def entries(self) -> Sequence[Access]:
        """Return the checks that are kept, oldest first."""
        return tuple(self._kept)


def resource_of(
    service: str, path: str, query: Mapping[str, Any], body: bytes, default: str
) -> str:
    """Return the ARN that a call is checked on; `default` is MiniStack's."""
    parts = [unquote(part) for part in path.split("/") if part]
    match service, parts:
        case "scheduler", ["schedules", name]:
            group = _first(query, "groupName") or _json(body).get("GroupName") or "default"
            return f"{default.rpartition(':schedule/')[0]}:schedule/{group}/{name}"
        case "route53", [_, "healthcheck", id_, *_]:
            return f"arn:aws:route53:::healthcheck/{id_}"
    return default


def further_checks(
    service: str, action: str, query: Mapping[str, Any], body: bytes
) -> tuple[Check, ...]:
    """Return the permissions that a call needs beside its own action."""
    match service, action.partition(":")[2]:
        case "cloudformation", "DescribeStacks" if not _first(query, "StackName"):
            return (Check("cloudformation:ListStacks", "*"),)
        case "cloudformation", _:
            return _pass_role(_first(query, "RoleARN"), service)
        case "scheduler", "CreateSchedule" | "UpdateSchedule":
            return _pass_role((_json(body).get("Target") or {}).get("RoleArn"), service)
        case "lambda", "CreateFunction" | "UpdateFunctionConfiguration":
            return _pass_role(_json(body).get("Role"), service)
    return ()


class _Enforcement:
    """Replacements of MiniStack's functions, each with the name of its original.

    MiniStack calls `extract_resource_arn`, then `enforce`, then on a denial
    `access_denied_response`. What one of them finds out for the next is in context variables, which
    each request has of its own.
    """

    def __init__(self, patcher: Patcher, log: AccessLog) -> None:
        ministack = patcher.ministack
        self._cloudformation = ministack.cloudformation
        self._responses = ministack.responses
        self._evaluator = ministack.iam_evaluator
        self._log = log
        self._further_checks: ContextVar[tuple[Check, ...]] = ContextVar(
            "further_checks", default=()
        )
        self._condition_keys: ContextVar[ConditionKeys] = ContextVar("condition_keys")
        self._refused: ContextVar[Check | None] = ContextVar("refused_check", default=None)

        patcher.replace("app.pin_request_origin", self.pin_request_origin)
        self._enforce_original = patcher.replace("iam_evaluator.enforce", self.enforce)
        self._action_original = patcher.replace(
            "iam_actions.extract_iam_action", self.extract_iam_action
        )
        self._resource_original = patcher.replace(
            "iam_actions.extract_resource_arn", self.extract_resource_arn
        )
        self._denial_original = patcher.replace(
            "iam_actions.access_denied_response", self.access_denied_response
        )

    def extract_iam_action(
        self,
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query_params: Any,
    ) -> str | None:
        action: str | None = self._action_original(
            service, method, path, headers, body, query_params
        )
        if service == "lambda" and path.rstrip("/").endswith("/concurrency"):
            return _CONCURRENCY.get(method, action)
        return action

    def extract_resource_arn(
        self,
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query_params: Any,
        region: str,
        account_id: str,
    ) -> str:
        arn: str = self._resource_original(
            service, method, path, headers, body, query_params, region, account_id
        )
        action = self.extract_iam_action(service, method, path, headers, body, query_params) or ""
        form = query_params
        if service == "cloudformation":
            form = {**query_params, **parse_qs(body.decode("latin-1"))}

        self._further_checks.set(further_checks(service, action, form, body))
        self._condition_keys.set(condition_keys(action, headers, body))

        if action == "cloudwatch:DescribeAlarms":
            return f"arn:aws:cloudwatch:{region}:{account_id}:alarm:*"
        # A change set that is named by its ARN needs no stack name in the request.
        change_set_name = _first(form, "ChangeSetName")
        if service == "cloudformation" and arn == "*" and change_set_name:
            change_set = self._cloudformation._change_sets.get(change_set_name)
            return str(change_set["StackId"]) if change_set else arn
        return resource_of(service, path, form, body, arn)

    def enforce(
        self,
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Any = None,
    ) -> Any:
        further = self._further_checks.get()
        self._further_checks.set(())
        context = {**(service_context or {}), **self._condition_keys.get({})}
        self._condition_keys.set({})

        denied = self._enforce_original(
            access_key_id, iam_action, service, region, resource_arn, context
        )
        self._note(access_key_id, Check(iam_action, resource_arn), denied)
        if denied:
            return denied

        for check in further:
            service_of_check = check.action.partition(":")[0]
            denied = self._enforce_original(
                access_key_id, check.action, service_of_check, region, check.resource, check.context
            )
            self._note(access_key_id, check, denied)
            if denied:
                self._refused.set(check)
                return denied
        return None

    def access_denied_response(
        self, service: str, action: str, *arguments: Any, **options: Any
    ) -> Any:
        check = self._refused.get()
        if check:
            self._refused.set(None)
            action = check.action
            options["resource_arn"] = check.resource
        return self._denial_original(service, action, *arguments, **options)

    def pin_request_origin(
        self,
        source_ip: str,
        secure_transport: bool,  # noqa: ARG002, FBT001 - MiniStack's signature
    ) -> None:
        # The local API is plain HTTP on loopback. It counts as HTTPS, as AWS's own does: otherwise
        # a bucket whose policy requires HTTPS would refuse every call.
        self._evaluator.pin_request_origin(source_ip, True)

    def _note(self, access_key_id: str, check: Check, denied: object) -> None:
        account = self._responses.get_account_id()
        principal = self._evaluator.resolve_principal(access_key_id or "", account)
        arn = str(getattr(principal, "arn", access_key_id))
        self._log.note(Access(arn, check.action, check.resource, allowed=not denied))


def install(patcher: Patcher, log: AccessLog) -> None:
    """Let MiniStack check calls as AWS does, and log each check."""
    _Enforcement(patcher, log)


def _pass_role(role: object, service: str) -> tuple[Check, ...]:
    """Return the permission to give a service a role; none when no role is given."""
    if not role:
        return ()
    context = {"iam:PassedToService": f"{service}.amazonaws.com"}
    return (Check("iam:PassRole", str(role), context),)


def _first(query: Mapping[str, Any], name: str) -> str:
    value = query.get(name) or ""
    return str(value[0] if isinstance(value, list) else value)


def _json(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
