"""The principal of CloudFormation's operations under IAM enforcement.

CloudFormation acts with the role that the stack was given, or with its caller's permissions.
MiniStack creates resources with every permission. Source: CloudFormation User Guide, "AWS
CloudFormation service role": the role of an operation is used for all later ones of the stack that
name none.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches import service_roles
from deploytool.localcloud.ministack.patches.generated_names import generated_name
from deploytool.localcloud.ministack.patches.permissions import Access, AccessLog, Check
from deploytool.localcloud.ministack.patches.replace import Patcher
from deploytool.localcloud.ministack.patches.resource_actions import checks_of
from deploytool.localcloud.ministack.patches.resource_operation import (
    Kind,
    Properties,
    ResourceOperation,
)
from deploytool.localcloud.ministack.patches.service_roles import ServiceRoles

Params = Mapping[str, Any]

# The API actions that start an operation on a stack
_STARTING_ACTIONS = (
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    "ExecuteChangeSet",
    "ContinueUpdateRollback",
)

PATCHES = {
    "CloudFormation:CreateChangeSet": "the change set's role is dropped",
    **{
        f"CloudFormation:{action}": "the principal of the operation is not known"
        for action in _STARTING_ACTIONS
    },
    "stacks._provision_resource": "resources are created with every permission",
    "stacks._update_resource": "resources are updated with every permission",
    "stacks._delete_resource": "resources are deleted with every permission",
}


class _ResourceOperations:
    """Replacements of MiniStack's functions that create, update and delete a stack's resource.

    Each checks the permissions of the principal, and then calls the original.
    """

    def __init__(self, patcher: Patcher, guard: "_Guard", principal: ContextVar[str]) -> None:
        self._responses = patcher.ministack.responses
        self._guard = guard
        self._principal = principal
        self._provision_original = patcher.replace("stacks._provision_resource", self.provision)
        self._update_original = patcher.replace("stacks._update_resource", self.update)
        self._delete_original = patcher.replace("stacks._delete_resource", self.delete)

    def provision(
        self, resource_type: str, logical_id: str, props: Properties, stack_name: str
    ) -> Any:
        # The physical id of a resource without a name of its own begins with this.
        name = generated_name(resource_type, stack_name, logical_id)
        self._check("create", resource_type, name, stack_name, props)
        return self._provision_original(resource_type, logical_id, props, stack_name)

    def update(
        self,
        resource_type: str,
        physical_id: str,
        old_props: Properties,
        new_props: Properties,
        stack_name: str,
        logical_id: str | None = None,
        old_attrs: Mapping[str, Any] | None = None,
    ) -> Any:
        # MiniStack calls this also for a resource that the update leaves as it is.
        if old_props != new_props:
            self._check("update", resource_type, physical_id, stack_name, new_props, old_props)
        return self._update_original(
            resource_type, physical_id, old_props, new_props, stack_name, logical_id, old_attrs
        )

    def delete(
        self,
        resource_type: str,
        physical_id: str,
        props: Properties,
        stack_name: str | None = None,
        logical_id: str | None = None,
    ) -> Any:
        self._check("delete", resource_type, physical_id, stack_name or "", props)
        return self._delete_original(resource_type, physical_id, props, stack_name, logical_id)

    def _check(
        self,
        kind: Kind,
        resource_type: str,
        physical_id: str,
        stack_name: str,
        now: Properties,
        before: Properties | None = None,
    ) -> None:
        """Raise ValueError, which MiniStack reports as the resource's failure, on a denial."""
        operation = ResourceOperation(
            kind=kind,
            resource_type=resource_type,
            id=physical_id,
            stack=stack_name,
            account=self._responses.get_account_id(),
            region=self._responses.get_region(),
            now=now,
            before=before or {},
        )
        self._guard.check(self._principal.get(), operation)


def install(patcher: Patcher, log: AccessLog) -> None:
    """Check stack operations against the IAM permissions of their principal."""
    # The ARN of the principal. MiniStack's tasks copy the context of the request that starts them.
    principal: ContextVar[str] = ContextVar("stack_principal", default="")
    _install_actions(patcher, principal)
    _ResourceOperations(patcher, _Guard(patcher.ministack, log), principal)


def _install_actions(patcher: Patcher, principal: ContextVar[str]) -> None:
    """Keep the role of each stack and change set, and set the principal of each operation."""
    service = patcher.ministack.cloudformation
    originals = dict(service._ACTION_HANDLERS)

    def create_change_set(params: Params) -> Any:
        answer = originals["CreateChangeSet"](params)
        name = _first(params, "ChangeSetName")
        stack_name = _stack_of(service, params)
        for change_set in service._change_sets.values():
            if change_set["ChangeSetName"] == name and change_set["StackName"] == stack_name:
                change_set["RoleARN"] = _first(params, "RoleARN")
        return answer

    def starting(original: Callable[[Params], Any]) -> Callable[[Params], Any]:
        def start(params: Params) -> Any:
            stack_name = _stack_of(service, params)
            role = _role_of(service, params, stack_name)
            caller = patcher.ministack.iam_evaluator.caller_arn
            token = principal.set(role or caller())
            try:
                answer = original(params)
            finally:
                principal.reset(token)

            stack = service._stacks.get(stack_name)
            if role and stack:
                stack["RoleARN"] = role
            return answer

        return start

    patcher.replace_action("CreateChangeSet", create_change_set)
    for action in _STARTING_ACTIONS:
        patcher.replace_action(action, starting(originals[action]))


def _role_of(service: Any, params: Params, stack_name: str) -> str:
    """Return the role of an operation: the request's, the change set's, or the stack's last one."""
    role = _first(params, "RoleARN")
    if role:
        return role

    change_set = service._change_sets.get(_first(params, "ChangeSetName")) or {}
    stack = service._stacks.get(stack_name) or {}
    return str(change_set.get("RoleARN") or stack.get("RoleARN") or "")


def _stack_of(service: Any, params: Params) -> str:
    """Return the name of the stack that a request is for."""
    name = _first(params, "StackName")
    change_set = service._change_sets.get(_first(params, "ChangeSetName"))
    if not name and change_set:
        return str(change_set["StackName"])
    return name.split("/")[1] if name.startswith("arn:") else name


def _first(params: Params, name: str) -> str:
    value = params.get(name) or ""
    return str(value[0] if isinstance(value, list) else value)


class _Guard:
    """Checks operations on resources against the policies of a principal."""

    def __init__(self, ministack: MiniStack, log: AccessLog) -> None:
        self._evaluator = ministack.iam_evaluator
        self._iam = ministack.iam
        self._service_roles = ServiceRoles(ministack.iam)
        self._log = log

    def check(self, principal: str, operation: ResourceOperation) -> None:
        """Raise ValueError when the principal may not do it. The root user may do everything."""
        if not principal or principal.endswith(":root"):
            return

        checks = checks_of(operation)
        if checks is None:
            raise ValueError(
                f"the local cloud does not know what {operation.resource_type} needs; "
                "deploy it without --enforce-iam"
            )

        for check in checks:
            creates_role = check.action == service_roles.ACTION
            if creates_role and self._service_roles.exists(check.resource):
                continue

            allowed = self._allows(principal, check, operation.account, operation.region)
            self._log.note(Access(principal, check.action, check.resource, allowed))
            if not allowed and creates_role:
                raise ValueError(service_roles.REFUSAL)
            if not allowed:
                raise ValueError(
                    f"User: {principal} is not authorized to perform: {check.action} "
                    f"on resource: {check.resource}"
                )
            if creates_role:
                self._service_roles.create(check)

    def _allows(self, principal: str, check: Check, account: str, region: str) -> bool:
        evaluator = self._evaluator
        name = _name_of(principal)
        if ":user/" in principal:
            policies = evaluator._gather_user_policies(name, account)
            principals = self._iam._users
        else:
            policies = evaluator._gather_role_policies(name, account)
            principals = self._iam._roles

        boundary = evaluator._permissions_boundary(principals, name, account)
        # MiniStack compares condition keys in lower case.
        condition_keys = {key.lower(): value for key, value in check.context.items()}
        context = evaluator.EvalContext(
            principal,
            "AssumedRole",
            account,
            check.action,
            check.resource,
            region,
            service_context=condition_keys,
        )
        decision = evaluator.evaluate(context, policies, *boundary).decision
        return bool(decision == "Allow")


def _name_of(principal: str) -> str:
    """Return the name of the role or user of an ARN.

    The ARN ends in role/a/path/NAME, user/NAME or assumed-role/NAME/SESSION.
    """
    resource = principal.rpartition(":")[2].split("/")
    return resource[1] if resource[0] == "assumed-role" else resource[-1]
