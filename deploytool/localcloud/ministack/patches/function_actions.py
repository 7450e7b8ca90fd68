"""The permissions that CloudFormation needs for Lambda functions and their IAM roles. Pure.

Source: Service Authorization Reference.
"""

from typing import assert_never

from deploytool.localcloud.ministack.patches.permissions import Check, checks
from deploytool.localcloud.ministack.patches.resource_operation import ResourceOperation


def role_actions(name: str, operation: ResourceOperation) -> list[Check] | None:
    """Return what an operation on `AWS::IAM::<name>` needs, or None for an unknown type."""
    if name != "Role":
        return None
    return _role(operation)


def _role(operation: ResourceOperation) -> list[Check]:
    now = operation.now
    path = now.get("Path", "/")
    name = now.get("RoleName", operation.id)
    arn = f"arn:aws:iam::{operation.account}:role{path}{name}"

    # A policy may require that each role has a certain boundary.
    boundary = {}
    if "PermissionsBoundary" in now:
        boundary["iam:PermissionsBoundary"] = str(now["PermissionsBoundary"])
    policies = ["iam:PutRolePolicy"] if operation.changes("Policies") else []

    match operation.kind:
        case "create":
            return checks(["iam:CreateRole", *policies], arn, boundary)
        case "update":
            actions = [*_boundary_actions(operation), *policies]
            needed = checks(actions, arn, boundary)
            if operation.changes("AssumeRolePolicyDocument"):
                needed.append(Check("iam:UpdateAssumeRolePolicy", arn))
            return needed
        case "delete":
            actions = ["iam:DeleteRolePolicy"] if now.get("Policies") else []
            return checks([*actions, "iam:DeleteRole"], arn)
        case _:
            assert_never(operation.kind)


def _boundary_actions(operation: ResourceOperation) -> list[str]:
    """Return the actions that change a role's permissions boundary."""
    if not operation.changes("PermissionsBoundary"):
        return []
    if "PermissionsBoundary" in operation.now:
        return ["iam:PutRolePermissionsBoundary"]
    return ["iam:DeleteRolePermissionsBoundary"]


def lambda_actions(name: str, operation: ResourceOperation) -> list[Check] | None:
    """Return what an operation on `AWS::Lambda::<name>` needs, or None for an unknown type."""
    match name:
        case "Function":
            return _function(operation)
        case "Permission":
            deletes = operation.kind == "delete"
            action = "lambda:RemovePermission" if deletes else "lambda:AddPermission"
            # The property is a name or an ARN, which ends in the name.
            function = str(operation.now["FunctionName"]).rpartition(":")[2]
            return [Check(action, operation.arn("lambda", f"function:{function}"))]
    return None


def _function(operation: ResourceOperation) -> list[Check]:
    now = operation.now
    function = now.get("FunctionName", operation.id)
    arn = operation.arn("lambda", f"function:{function}")
    if operation.kind == "delete":
        return [Check("lambda:DeleteFunction", arn)]

    # Both a creation and an update pass a new role and read new code.
    inputs = []
    if operation.changes("Role"):
        context = {"iam:PassedToService": "lambda.amazonaws.com"}
        inputs.append(Check("iam:PassRole", str(now["Role"]), context))
    code = now["Code"] if operation.changes("Code") else {}
    if "S3Bucket" in code:
        inputs.append(Check("s3:GetObject", f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}"))
    if operation.kind == "create":
        return [Check("lambda:CreateFunction", arn), *inputs]

    needed = []
    if code:
        needed.append(Check("lambda:UpdateFunctionCode", arn))
    settings = {*now, *operation.before} - {"Code"}
    if any(operation.changes(name) for name in settings):
        needed.append(Check("lambda:UpdateFunctionConfiguration", arn))
    return [*needed, *inputs]
