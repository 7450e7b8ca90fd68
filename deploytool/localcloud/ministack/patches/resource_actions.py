"""What CloudFormation has to be allowed for the resources of our templates: the changing calls of
each resource type. Pure.

Of each type the calls that make, change and delete it, on the resource that AWS checks them on
(Service Authorization Reference); the reads between them, and the tags, are left out: it is about
what a service role may change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from deploytool.localcloud.ministack.patches.permissions import Check

Operation = Literal["create", "update", "delete"]
Properties = Mapping[str, Any]

_BUCKET = {
    "PublicAccessBlockConfiguration": "s3:PutBucketPublicAccessBlock",
    "OwnershipControls": "s3:PutBucketOwnershipControls",
    "BucketEncryption": "s3:PutEncryptionConfiguration",
    "VersioningConfiguration": "s3:PutBucketVersioning",
    "LifecycleConfiguration": "s3:PutLifecycleConfiguration",
}
# Below /restapis/{RestApiId}; {...} are properties, {id} is the physical id. What is made by POST
# is made in a collection.
_API = {
    "RestApi": ("POST", "/restapis", "/restapis/{id}"),
    "Resource": (
        "POST",
        "/restapis/{RestApiId}/resources/{ParentId}",
        "/restapis/{RestApiId}/resources/{id}",
    ),
    "Method": (
        *("PUT", "/restapis/{RestApiId}/resources/{ResourceId}/methods/{HttpMethod}"),
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
        *("POST", "/domainnames/{DomainName}/basepathmappings"),
        "/domainnames/{DomainName}/basepathmappings/(none)",
    ),
}
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
    """Where a resource is: `id` is its physical id, on a creation the name that it gets (or how
    that begins).
    """

    account: str
    region: str
    stack: str
    id: str


def checks_of(
    kind: str, operation: Operation, at: Place, now: Properties, before: Properties
) -> list[Check] | None:
    """What an operation on a resource of a type needs; None for a type that is not known here.
    `before`: as it was, to update.
    """
    _, service, name = (*kind.split("::"), "", "")[:3]
    of_service = _SERVICES.get(service)
    return of_service(name, operation, at, now, before) if of_service else None


def _each(
    actions: list[str], resource: str, context: Mapping[str, str] | None = None
) -> list[Check]:
    return [Check(action, resource, context or {}) for action in actions]


def _api(
    name: str, operation: Operation, at: Place, now: Properties, _: Properties
) -> list[Check] | None:
    if name not in _API:
        return None
    verb, collection, one = _API[name]
    path = (collection if operation == "create" else one).format_map({**now, "id": at.id})
    verbs = {"create": verb, "update": "PATCH", "delete": "DELETE"}
    return [Check(f"apigateway:{verbs[operation]}", f"arn:aws:apigateway:{at.region}::{path}")]


def _network(
    name: str, operation: Operation, at: Place, _: Properties, _before: Properties
) -> list[Check] | None:
    if name not in _NETWORK:
        return None
    action = dict(zip(("create", "update", "delete"), _NETWORK[name], strict=True))[operation]
    return [Check(action, "*", {"aws:ResourceTag/aws:cloudformation:stack-name": at.stack})]


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
    made = ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]
    actions = {"create": made, "update": made[1:], "delete": ["logs:DeleteLogGroup"]}
    return _each(
        actions[operation], f"arn:aws:logs:{at.region}:{at.account}:log-group:{now['LogGroupName']}"
    )


def _storage(
    name: str, operation: Operation, at: Place, now: Properties, before: Properties
) -> list[Check] | None:
    match name:
        case "Bucket":
            settings = [
                action for key, action in _BUCKET.items() if now.get(key) != before.get(key)
            ]
            actions = {
                "create": ["s3:CreateBucket", *settings],
                "update": settings,
                "delete": ["s3:DeleteBucket"],
            }
            return _each(actions[operation], f"arn:aws:s3:::{at.id.lower()}")
        case "BucketPolicy":
            action = "s3:DeleteBucketPolicy" if operation == "delete" else "s3:PutBucketPolicy"
            return [Check(action, f"arn:aws:s3:::{now['Bucket']}")]
    return None


def _schedules(
    name: str, operation: Operation, at: Place, now: Properties, _: Properties
) -> list[Check] | None:
    """A group is deleted with the schedules in it."""
    if name != "ScheduleGroup":
        return None
    where = f"arn:aws:scheduler:{at.region}:{at.account}:"
    group, schedules = f"{where}schedule-group/{now['Name']}", f"{where}schedule/{now['Name']}/*"
    deletion = [
        Check("scheduler:DeleteScheduleGroup", group),
        Check("scheduler:DeleteSchedule", schedules),
    ]
    return {
        "create": [Check("scheduler:CreateScheduleGroup", group)],
        "update": [],
        "delete": deletion,
    }[operation]


def _role(operation: Operation, at: Place, now: Properties, before: Properties) -> list[Check]:
    arn = f"arn:aws:iam::{at.account}:role{now.get('Path', '/')}{now.get('RoleName', at.id)}"
    boundary = (
        {"iam:PermissionsBoundary": str(now["PermissionsBoundary"])}
        if "PermissionsBoundary" in now
        else {}
    )
    policies = ["iam:PutRolePolicy"] if now.get("Policies") != before.get("Policies") else []
    match operation:
        case "create":
            return _each(["iam:CreateRole", *policies], arn, boundary)
        case "update":
            bounded = now.get("PermissionsBoundary") != before.get("PermissionsBoundary")
            put = (
                "iam:PutRolePermissionsBoundary"
                if boundary
                else "iam:DeleteRolePermissionsBoundary"
            )
            trust = now["AssumeRolePolicyDocument"] != before["AssumeRolePolicyDocument"]
            changed = _each([*([put] if bounded else []), *policies], arn, boundary)
            return [*changed, *_each(["iam:UpdateAssumeRolePolicy"] if trust else [], arn)]
        case _:
            return _each(
                [*(["iam:DeleteRolePolicy"] if now.get("Policies") else []), "iam:DeleteRole"], arn
            )


def _function(operation: Operation, at: Place, now: Properties, before: Properties) -> list[Check]:
    arn = f"arn:aws:lambda:{at.region}:{at.account}:function:{now.get('FunctionName', at.id)}"
    if operation == "delete":
        return [Check("lambda:DeleteFunction", arn)]
    checks = []
    if now["Role"] != before.get("Role"):
        checks.append(
            Check("iam:PassRole", str(now["Role"]), {"iam:PassedToService": "lambda.amazonaws.com"})
        )
    code = now["Code"] if now["Code"] != before.get("Code") else {}
    if "S3Bucket" in code:
        checks.append(Check("s3:GetObject", f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}"))
    if operation == "create":
        return [Check("lambda:CreateFunction", arn), *checks]
    rest = {name for name in {*now, *before} - {"Code"} if now.get(name) != before.get(name)}
    actions = [
        *(["lambda:UpdateFunctionCode"] if code else []),
        *(["lambda:UpdateFunctionConfiguration"] if rest else []),
    ]
    return [*_each(actions, arn), *checks]


def _dns(
    name: str, operation: Operation, at: Place, now: Properties, _: Properties
) -> list[Check] | None:
    """Route 53's resources and certificates, for which CloudFormation writes the validation
    records.
    """
    zone, check = "arn:aws:route53:::hostedzone/", f"arn:aws:route53:::healthcheck/{at.id}"
    match name:
        case "HostedZone":
            made = {
                "create": "CreateHostedZone",
                "update": "UpdateHostedZoneComment",
                "delete": "DeleteHostedZone",
            }
            return [
                Check(f"route53:{made[operation]}", "*" if operation == "create" else zone + at.id)
            ]
        case "HealthCheck":
            made = {
                "create": "CreateHealthCheck",
                "update": "UpdateHealthCheck",
                "delete": "DeleteHealthCheck",
            }
            return [Check(f"route53:{made[operation]}", "*" if operation == "create" else check)]
        case "RecordSet":
            return [_record(zone + str(now["HostedZoneId"]), str(now["Name"]))]
        case "Certificate" if operation == "create":
            options = [
                each for each in now.get("DomainValidationOptions") or () if "HostedZoneId" in each
            ]
            records = [
                _record(zone + str(each["HostedZoneId"]), f"_validation.{each['DomainName']}")
                for each in options
            ]
            return [Check("acm:RequestCertificate", "*"), *records]
        case "Certificate":
            action = (
                "acm:DeleteCertificate" if operation == "delete" else "acm:AddTagsToCertificate"
            )
            return [Check(action, at.id)]
    return None


def _record(zone: str, name: str) -> Check:
    return Check(
        "route53:ChangeResourceRecordSets",
        zone,
        {"route53:ChangeResourceRecordSetsNormalizedRecordNames": name.rstrip(".")},
    )


_SERVICES: Mapping[
    str, Callable[[str, Operation, Place, Properties, Properties], list[Check] | None]
] = {
    "ApiGateway": _api,
    "CertificateManager": _dns,
    "EC2": _network,
    "IAM": _identities,
    "Lambda": _lambda,
    "Logs": _logs,
    "Route53": _dns,
    "S3": _storage,
    "Scheduler": _schedules,
}
