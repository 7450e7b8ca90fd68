"""Service-linked roles, which a service creates with the permission of its caller.

API Gateway creates its own with the first custom domain name of an account. Without the permission
it answers "Caller does not have permissions to create a Service Linked Role". Sources: API Gateway
Developer Guide, "Using service-linked roles for API Gateway";
amplify-education/serverless-domain-manager issue 112.
"""

from typing import Any

from deploytool.localcloud.ministack.patches.permissions import Check

ACTION = "iam:CreateServiceLinkedRole"
REFUSAL = "Caller does not have permissions to create a Service Linked Role."
_API_GATEWAY = "ops.apigateway.amazonaws.com"


def api_gateway_role(account: str) -> Check:
    """Return the permission to create API Gateway's role."""
    path = f"aws-service-role/{_API_GATEWAY}/AWSServiceRoleForAPIGateway"
    arn = f"arn:aws:iam::{account}:role/{path}"
    return Check(ACTION, arn, {"iam:AWSServiceName": _API_GATEWAY})


class ServiceRoles:
    """The service-linked roles of the emulated account, in MiniStack's IAM."""

    def __init__(self, iam: Any) -> None:
        self._iam = iam

    def exists(self, arn: str) -> bool:
        """Return whether the account has the role."""
        return _name(arn) in self._iam._roles

    def create(self, check: Check) -> None:
        """Add the role that a check is about."""
        service = check.context["iam:AWSServiceName"]
        self._iam._roles[_name(check.resource)] = {
            "RoleName": _name(check.resource),
            "Arn": check.resource,
            "RoleId": self._iam._gen_id("AROA"),
            "CreateDate": self._iam._now(),
            "Path": f"/aws-service-role/{service}/",
            "AssumeRolePolicyDocument": "{}",
            "Description": f"Service-linked role for {service}",
            "MaxSessionDuration": 3600,
            "AttachedPolicies": [],
            "InlinePolicies": {},
            "Tags": [],
        }


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
