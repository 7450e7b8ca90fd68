"""The permissions that CloudFormation needs for the resources of our templates. Pure.

Each type has the calls that create, change and delete it, with the resource on which AWS checks
them (Service Authorization Reference). Reads and tags are left out: the subject is what a service
role may change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from deploytool.localcloud.ministack.patches.permissions import Check

Operation = Literal["create", "update", "delete"]
Properties = Mapping[str, Any]

_ZONE_ARN = "arn:aws:route53:::hostedzone/"

# The action that writes each property of a bucket
_BUCKET = {
    "PublicAccessBlockConfiguration": "s3:PutBucketPublicAccessBlock",
    "OwnershipControls": "s3:PutBucketOwnershipControls",
    "BucketEncryption": "s3:PutEncryptionConfiguration",
    "VersioningConfiguration": "s3:PutBucketVersioning",
    "LifecycleConfiguration": "s3:PutLifecycleConfiguration",
}
# The method that creates a resource, the path that it is created at, and its own path. {...} are
# properties and {id} is the physical id. A POST goes to a collection.
_API = {
    "RestApi": ("POST", "/restapis", "/restapis/{id}"),
    "Resource": (
        "POST",
        "/restapis/{RestApiId}/resources/{ParentId}",
        "/restapis/{RestApiId}/resources/{id}",
    ),
    "Method": (
        "PUT",
        "/restapis/{RestApiId}/resources/{ResourceId}/methods/{HttpMethod}",
        "/restapis/{RestApiId}/resources/{ResourceId}/methods/{HttpMethod}",
    ),
    "Deployment": (
        "POST",
        "/restapis/{RestApiId}/deployments",
        "/restapis/{RestApiId}/deployments/{id}",
    ),
    "Stage": ("POST", "/restapis/{RestApiId}/stages", "/restapis/{RestApiId}/stages/{StageName}"),
    "DomainName": ("POST", "/domainnames", "/domainnames/{DomainName}"),
    "BasePathMapping": (
        "POST",
        "/domainnames/{DomainName}/basepathmappings",
        "/domainnames/{DomainName}/basepathmappings/(none)",
    ),
}
# The actions that create, update and delete a resource
_NETWORK = {
    "VPC": ("ec2:CreateVpc", "ec2:ModifyVpcAttribute", "ec2:DeleteVpc"),
    "Subnet": ("ec2:CreateSubnet", "ec2:ModifySubnetAttribute", "ec2:DeleteSubnet"),
    "RouteTable": ("ec2:CreateRouteTable", "ec2:CreateTags", "ec2:DeleteRouteTable"),
    "SubnetRouteTableAssociation": (
        "ec2:AssociateRouteTable",
        "ec2:AssociateRouteTable",
        "ec2:DisassociateRouteTable",
    ),
    "SecurityGroup": (
        "ec2:CreateSecurityGroup",
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:DeleteSecurityGroup",
    ),
    "VPCEndpoint": ("ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint", "ec2:DeleteVpcEndpoints"),
}


@dataclass(frozen=True)
class Place:
    """Where a resource is.

    `id` is the physical id. On a creation it is the name that the resource gets, or its beginning.
    """

    account: str
    region: str
    stack: str
    id: str


def checks_of(
    resource_type: str, operation: Operation, at: Place, now: Properties, before: Properties
) -> list[Check] | None:
    """Return the permissions that an operation on a resource needs, or None for an unknown type.

    `now` are its properties, `before` its properties before an update.
    """
    parts = resource_type.split("::")
    checks_of_service = _SERVICES.get(parts[1]) if len(parts) == 3 else None
    if checks_of_service is None:
        return None
    return checks_of_service(parts[2], operation, at, now, before)


def _changed(now: Properties, before: Properties, name: str) -> bool:
    return bool(now.get(name) != before.get(name))


def _checks(
    actions: list[str], resource: str, context: Mapping[str, str] | None = None
) -> list[Check]:
    return [Check(action, resource, context or {}) for action in actions]


def _api(
    name: str, operation: Operation, at: Place, now: Properties, _: Properties
) -> list[Check] | None:
    if name not in _API:
        return None

    creation_method, creation_path, own_path = _API[name]
    methods = {"create": creation_method, "update": "PATCH", "delete": "DELETE"}
    template = creation_path if operation == "create" else own_path
    path = template.format_map({**now, "id": at.id})
    return [Check(f"apigateway:{methods[operation]}", f"arn:aws:apigateway:{at.region}::{path}")]


def _network(
    name: str, operation: Operation, at: Place, _: Properties, _before: Properties
) -> list[Check] | None:
    if name not in _NETWORK:
        return None

    actions = dict(zip(("create", "update", "delete"), _NETWORK[name], strict=True))
    return [
        Check(actions[operation], "*", {"aws:ResourceTag/aws:cloudformation:stack-name": at.stack})
    ]


def _identities(
    name: str, operation: Operation, at: Place, now: Properties, before: Properties
) -> list[Check] | None:
    return _role(operation, at, now, before) if name == "Role" else None


def _lambda(
    name: str, operation: Operation, at: Place, now: Properties, before: Properties
) -> list[Check] | None:
    match name:
        case "Function":
            return _function(operation, at, now, before)
        case "Permission":
            action = "lambda:RemovePermission" if operation == "delete" else "lambda:AddPermission"
            function = str(now["FunctionName"]).rpartition(":")[2]
            return [Check(action, f"arn:aws:lambda:{at.region}:{at.account}:function:{function}")]
    return None


def _logs(
    name: str, operation: Operation, at: Place, now: Properties, _: Properties
) -> list[Check] | None:
    if name != "LogGroup":
        return None

    actions = {
        "create": ["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
        "update": ["logs:PutRetentionPolicy"],
        "delete": ["logs:DeleteLogGroup"],
    }
    arn = f"arn:aws:logs:{at.region}:{at.account}:log-group:{now['LogGroupName']}"
    return _checks(actions[operation], arn)


def _storage(
    name: str, operation: Operation, at: Place, now: Properties, before: Properties
) -> list[Check] | None:
    match name:
        case "Bucket":
            settings = [action for key, action in _BUCKET.items() if _changed(now, before, key)]
            actions = {
                "create": ["s3:CreateBucket", *settings],
                "update": settings,
                "delete": ["s3:DeleteBucket"],
            }
            return _checks(actions[operation], f"arn:aws:s3:::{at.id.lower()}")
        case "BucketPolicy":
            action = "s3:DeleteBucketPolicy" if operation == "delete" else "s3:PutBucketPolicy"
            return [Check(action, f"arn:aws:s3:::{now['Bucket']}")]
    return None


def _schedules(
    name: str, operation: Operation, at: Place, now: Properties, _: Properties
) -> list[Check] | None:
    if name != "ScheduleGroup":
        return None

    prefix = f"arn:aws:scheduler:{at.region}:{at.account}"
    group = f"{prefix}:schedule-group/{now['Name']}"
    match operation:
        case "create":
            return [Check("scheduler:CreateScheduleGroup", group)]
        case "update":
            return []
        case "delete":
            # A group is deleted with the schedules in it.
            schedules = f"{prefix}:schedule/{now['Name']}/*"
            return [
                Check("scheduler:DeleteScheduleGroup", group),
                Check("scheduler:DeleteSchedule", schedules),
            ]
        case _:
            assert_never(operation)


def _role(operation: Operation, at: Place, now: Properties, before: Properties) -> list[Check]:
    arn = f"arn:aws:iam::{at.account}:role{now.get('Path', '/')}{now.get('RoleName', at.id)}"
    # A policy may require that each role has a certain boundary.
    boundary = {}
    if "PermissionsBoundary" in now:
        boundary["iam:PermissionsBoundary"] = str(now["PermissionsBoundary"])
    policies = ["iam:PutRolePolicy"] if _changed(now, before, "Policies") else []

    match operation:
        case "create":
            return _checks(["iam:CreateRole", *policies], arn, boundary)
        case "update":
            actions = [*_boundary_actions(now, before), *policies]
            checks = _checks(actions, arn, boundary)
            if _changed(now, before, "AssumeRolePolicyDocument"):
                checks.append(Check("iam:UpdateAssumeRolePolicy", arn))
            return checks
        case "delete":
            actions = ["iam:DeleteRolePolicy"] if now.get("Policies") else []
            return _checks([*actions, "iam:DeleteRole"], arn)
        case _:
            assert_never(operation)


def _boundary_actions(now: Properties, before: Properties) -> list[str]:
    """Return the actions that change a role's permissions boundary."""
    if not _changed(now, before, "PermissionsBoundary"):
        return []
    if "PermissionsBoundary" in now:
        return ["iam:PutRolePermissionsBoundary"]
    return ["iam:DeleteRolePermissionsBoundary"]


def _function(operation: Operation, at: Place, now: Properties, before: Properties) -> list[Check]:
    arn = f"arn:aws:lambda:{at.region}:{at.account}:function:{now.get('FunctionName', at.id)}"
    if operation == "delete":
        return [Check("lambda:DeleteFunction", arn)]

    # Both a creation and an update pass a new role and read new code.
    inputs = []
    if _changed(now, before, "Role"):
        context = {"iam:PassedToService": "lambda.amazonaws.com"}
        inputs.append(Check("iam:PassRole", str(now["Role"]), context))
    code = now["Code"] if _changed(now, before, "Code") else {}
    if "S3Bucket" in code:
        inputs.append(Check("s3:GetObject", f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}"))
    if operation == "create":
        return [Check("lambda:CreateFunction", arn), *inputs]

    checks = []
    if code:
        checks.append(Check("lambda:UpdateFunctionCode", arn))
    if any(_changed(now, before, name) for name in {*now, *before} - {"Code"}):
        checks.append(Check("lambda:UpdateFunctionConfiguration", arn))
    return [*checks, *inputs]


def _route53(
    name: str, operation: Operation, at: Place, now: Properties, _: Properties
) -> list[Check] | None:
    match name:
        case "HostedZone":
            actions = {
                "create": "route53:CreateHostedZone",
                "update": "route53:UpdateHostedZoneComment",
                "delete": "route53:DeleteHostedZone",
            }
            arn = _ZONE_ARN + at.id
        case "HealthCheck":
            actions = {
                "create": "route53:CreateHealthCheck",
                "update": "route53:UpdateHealthCheck",
                "delete": "route53:DeleteHealthCheck",
            }
            arn = f"arn:aws:route53:::healthcheck/{at.id}"
        case "RecordSet":
            return [_record(str(now["HostedZoneId"]), str(now["Name"]))]
        case _:
            return None

    # A resource that does not exist yet has no ARN to check.
    return [Check(actions[operation], "*" if operation == "create" else arn)]


def _certificates(
    name: str, operation: Operation, at: Place, now: Properties, _: Properties
) -> list[Check] | None:
    if name != "Certificate":
        return None

    match operation:
        case "create":
            checks = [Check("acm:RequestCertificate", "*")]
            # CloudFormation writes the validation records into the zones that are named.
            for option in now.get("DomainValidationOptions") or ():
                if "HostedZoneId" in option:
                    record_name = f"_validation.{option['DomainName']}"
                    checks.append(_record(str(option["HostedZoneId"]), record_name))
            return checks
        case "update":
            return [Check("acm:AddTagsToCertificate", at.id)]
        case "delete":
            return [Check("acm:DeleteCertificate", at.id)]
        case _:
            assert_never(operation)


def _record(zone_id: str, name: str) -> Check:
    """Return the permission to change the record sets of a name in a zone."""
    context = {"route53:ChangeResourceRecordSetsNormalizedRecordNames": name.rstrip(".")}
    return Check("route53:ChangeResourceRecordSets", _ZONE_ARN + zone_id, context)


_SERVICES: Mapping[
    str, Callable[[str, Operation, Place, Properties, Properties], list[Check] | None]
] = {
    "ApiGateway": _api,
    "CertificateManager": _certificates,
    "EC2": _network,
    "IAM": _identities,
    "Lambda": _lambda,
    "Logs": _logs,
    "Route53": _route53,
    "S3": _storage,
    "Scheduler": _schedules,
}
