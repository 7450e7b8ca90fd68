"""As whom CloudFormation acts under IAM enforcement: with the role that the stack was given, else
with its caller's permissions.

MiniStack makes resources with every permission. Source: CloudFormation User Guide, "AWS
CloudFormation service role": the role of an operation is used for all later ones of the stack that
name none.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.permissions import Access, AccessLog, Check
from deploytool.localcloud.ministack.patches.resource_actions import Operation, Place, checks_of

Params = Mapping[str, Any]

_BEGINNINGS = (
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    "ExecuteChangeSet",
    "ContinueUpdateRollback",
)


def install(ministack: MiniStack, log: AccessLog) -> None:
    """Let each stack's resources be made, changed and deleted by who it is that may."""
    # MiniStack's tasks copy the context
    acting: ContextVar[str] = ContextVar("stack_principal", default="")
    _remember(ministack, acting)
    stacks = ministack.stacks
    provision, update, delete = (
        stacks._provision_resource,
        stacks._update_resource,
        stacks._delete_resource,
    )
    guard = _Guard(ministack, log)

    def provision_resource(kind: str, logical_id: str, props: Mapping[str, Any], stack: str) -> Any:
        guard.check(acting.get(), kind, "create", (stack, f"{stack}-{logical_id}"), props)
        return provision(kind, logical_id, props, stack)

    def update_resource(
        kind: str, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], *rest: Any
    ) -> Any:
        if old != new:
            guard.check(acting.get(), kind, "update", (rest[0], physical_id), new, old)
        return update(kind, physical_id, old, new, *rest)

    def delete_resource(
        kind: str, physical_id: str, props: Mapping[str, Any], stack: str = "", *rest: Any
    ) -> Any:
        guard.check(acting.get(), kind, "delete", (stack, physical_id), props)
        return delete(kind, physical_id, props, stack, *rest)

    stacks._provision_resource, stacks._update_resource = provision_resource, update_resource
    stacks._delete_resource = delete_resource


def _remember(ministack: MiniStack, acting: ContextVar[str]) -> None:
    """Keep the role of each stack and change set, and who acts in the operation that a request
    begins.
    """
    service, handlers = ministack.cloudformation, ministack.cloudformation._ACTION_HANDLERS
    propose = handlers["CreateChangeSet"]

    def create_change_set(params: Params) -> Any:
        answer = propose(params)
        for each in service._change_sets.values():
            if each["ChangeSetName"] == _first(params, "ChangeSetName") and each[
                "StackName"
            ] == _stack_of(service, params):
                each["RoleARN"] = _first(params, "RoleARN")
        return answer

    def beginning(theirs: Callable[[Params], Any]) -> Callable[[Params], Any]:
        def begin(params: Params) -> Any:
            name = _stack_of(service, params)
            known = (
                service._change_sets.get(_first(params, "ChangeSetName")),
                service._stacks.get(name),
            )
            role = next(
                filter(
                    None,
                    [_first(params, "RoleARN"), *((each or {}).get("RoleARN") for each in known)],
                ),
                "",
            )
            scope = acting.set(role or ministack.iam_evaluator.caller_arn())
            try:
                answer = theirs(params)
            finally:
                acting.reset(scope)
            if role and (stack := service._stacks.get(name)):
                stack["RoleARN"] = role
            return answer

        return begin

    handlers["CreateChangeSet"] = create_change_set
    for action in _BEGINNINGS:
        handlers[action] = beginning(handlers[action])


def _stack_of(service: Any, params: Params) -> str:
    """The name of the stack that a request is for."""
    named, change_set = (
        _first(params, "StackName"),
        service._change_sets.get(_first(params, "ChangeSetName")),
    )
    if not named and change_set:
        return str(change_set["StackName"])
    return named.split("/")[1] if named.startswith("arn:") else named


def _first(params: Params, name: str) -> str:
    value = params.get(name) or ""
    return str(value[0] if isinstance(value, list) else value)


class _Guard:
    """Asks a principal's policies."""

    def __init__(self, ministack: MiniStack, log: AccessLog) -> None:
        self._evaluator, self._iam, self._responses, self._log = (
            ministack.iam_evaluator,
            ministack.iam,
            ministack.responses,
            log,
        )

    def check(
        self,
        principal: str,
        kind: str,
        operation: Operation,
        where: tuple[str, str],
        now: Mapping[str, Any],
        before: Mapping[str, Any] | None = None,
    ) -> None:
        """`where`: the stack and the physical id. Raises ValueError, which MiniStack makes the
        resource's failure.
        """
        if not principal or principal.endswith(":root"):
            return
        account, region = self._responses.get_account_id(), self._responses.get_region()
        checks = checks_of(kind, operation, Place(account, region, *where), now, before or {})
        if checks is None:
            raise ValueError(
                f"the local cloud does not know what {kind} needs; deploy it without --enforce-iam"
            )
        for check in checks:
            allowed = self._allows(principal, check, account, region)
            self._log.note(Access(principal, check.action, check.resource, allowed))
            if not allowed:
                raise ValueError(
                    f"User: {principal} is not authorized to perform: {check.action} on resource: {check.resource}"
                )

    def _allows(self, principal: str, check: Check, account: str, region: str) -> bool:
        evaluator, name = self._evaluator, _name_of(principal)
        if ":user/" in principal:
            policies, store = evaluator._gather_user_policies(name, account), self._iam._users
        else:
            policies, store = evaluator._gather_role_policies(name, account), self._iam._roles
        limits = evaluator._permissions_boundary(store, name, account)
        context = {key.lower(): value for key, value in check.context.items()}
        asked = evaluator.EvalContext(
            principal,
            "AssumedRole",
            account,
            check.action,
            check.resource,
            region,
            service_context=context,
        )
        return bool(evaluator.evaluate(asked, policies, *limits).decision == "Allow")


def _name_of(principal: str) -> str:
    """The name of the role or user of an ARN: .../role/a/path/NAME, .../user/NAME,
    .../assumed-role/NAME/SESSION.
    """
    resource = principal.rpartition(":")[2].split("/")
    return resource[1] if resource[0] == "assumed-role" else resource[-1]
