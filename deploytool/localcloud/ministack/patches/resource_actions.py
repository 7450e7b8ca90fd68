"""The permissions that CloudFormation needs for the resources of our templates. Pure.

Each type has the calls that create, change and delete it, with the resource on which AWS checks
them (Service Authorization Reference). Reads and tags are left out: the subject is what a service
role may change.
"""

from collections.abc import Callable, Mapping
from typing import assert_never

from deploytool.localcloud.ministack.patches.function_actions import lambda_actions, role_actions
from deploytool.localcloud.ministack.patches.permissions import Check, checks
from deploytool.localcloud.ministack.patches.resource_operation import ResourceOperation
from deploytool.localcloud.ministack.patches.service_roles import api_gateway_role

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
# The same for version 2.
_API_V2 = {
    "Api": ("POST", "/apis", "/apis/{id}"),
    "Integration": ("POST", "/apis/{ApiId}/integrations", "/apis/{ApiId}/integrations/{id}"),
    "Route": ("POST", "/apis/{ApiId}/routes", "/apis/{ApiId}/routes/{id}"),
    "Deployment": ("POST", "/apis/{ApiId}/deployments", "/apis/{ApiId}/deployments/{id}"),
    "Stage": ("POST", "/apis/{ApiId}/stages", "/apis/{ApiId}/stages/{StageName}"),
    "DomainName": ("POST", "/domainnames", "/domainnames/{DomainName}"),
    "ApiMapping": (
        "POST",
        "/domainnames/{DomainName}/apimappings",
        "/domainnames/{DomainName}/apimappings/{id}",
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


def checks_of(operation: ResourceOperation) -> list[Check] | None:
    """Return the permissions that an operation on a resource needs, or None for an unknown type."""
    parts = operation.resource_type.split("::")
    if len(parts) != 3:
        return None

    _, service, name = parts
    checks_of_service = _SERVICES.get(service)
    if checks_of_service is None:
        return None
    return checks_of_service(name, operation)


def _api(name: str, operation: ResourceOperation) -> list[Check] | None:
    return _api_calls(_API, name, operation)


def _api_v2(name: str, operation: ResourceOperation) -> list[Check] | None:
    return _api_calls(_API_V2, name, operation)


def _api_calls(
    calls: Mapping[str, tuple[str, str, str]], name: str, operation: ResourceOperation
) -> list[Check] | None:
    if name not in calls:
        return None

    creation_method, creation_path, own_path = calls[name]
    methods = {"create": creation_method, "update": "PATCH", "delete": "DELETE"}
    template = creation_path if operation.kind == "create" else own_path
    path = template.format_map({**operation.now, "id": operation.id})
    # The ARNs of API Gateway's resources have no account.
    arn = f"arn:aws:apigateway:{operation.region}::{path}"
    needed = [Check(f"apigateway:{methods[operation.kind]}", arn)]
    if name == "DomainName" and operation.kind == "create":
        needed.append(api_gateway_role(operation.account))
    return needed


def _network(name: str, operation: ResourceOperation) -> list[Check] | None:
    if name not in _NETWORK:
        return None

    create, update, delete = _NETWORK[name]
    actions = {"create": create, "update": update, "delete": delete}
    context = {"aws:ResourceTag/aws:cloudformation:stack-name": operation.stack}
    return [Check(actions[operation.kind], "*", context)]


def _logs(name: str, operation: ResourceOperation) -> list[Check] | None:
    if name != "LogGroup":
        return None

    actions = {
        "create": ["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
        "update": ["logs:PutRetentionPolicy"],
        "delete": ["logs:DeleteLogGroup"],
    }
    arn = operation.arn("logs", f"log-group:{operation.now['LogGroupName']}")
    return checks(actions[operation.kind], arn)


def _storage(name: str, operation: ResourceOperation) -> list[Check] | None:
    match name:
        case "Bucket":
            settings = [action for key, action in _BUCKET.items() if operation.changes(key)]
            actions = {
                "create": ["s3:CreateBucket", *settings],
                "update": settings,
                "delete": ["s3:DeleteBucket"],
            }
            # The name that CloudFormation generates is in lower case.
            return checks(actions[operation.kind], f"arn:aws:s3:::{operation.id.lower()}")
        case "BucketPolicy":
            deletes = operation.kind == "delete"
            action = "s3:DeleteBucketPolicy" if deletes else "s3:PutBucketPolicy"
            return [Check(action, f"arn:aws:s3:::{operation.now['Bucket']}")]
    return None


def _schedules(name: str, operation: ResourceOperation) -> list[Check] | None:
    if name != "ScheduleGroup":
        return None

    group_name = operation.now["Name"]
    group = operation.arn("scheduler", f"schedule-group/{group_name}")
    match operation.kind:
        case "create":
            return [Check("scheduler:CreateScheduleGroup", group)]
        case "update":
            return []
        case "delete":
            # A group is deleted with the schedules in it.
            schedules = operation.arn("scheduler", f"schedule/{group_name}/*")
            return [
                Check("scheduler:DeleteScheduleGroup", group),
                Check("scheduler:DeleteSchedule", schedules),
            ]
        case _:
            assert_never(operation.kind)


def _alarms(name: str, operation: ResourceOperation) -> list[Check] | None:
    if name != "Alarm":
        return None

    deletes = operation.kind == "delete"
    action = "cloudwatch:DeleteAlarms" if deletes else "cloudwatch:PutMetricAlarm"
    alarm = operation.now.get("AlarmName", operation.id)
    return [Check(action, operation.arn("cloudwatch", f"alarm:{alarm}"))]


def _events(name: str, operation: ResourceOperation) -> list[Check] | None:
    if name != "Rule":
        return None

    actions = {
        "create": ["events:PutRule", "events:PutTargets"],
        "update": ["events:PutRule", "events:PutTargets"],
        "delete": ["events:RemoveTargets", "events:DeleteRule"],
    }
    rule = operation.now.get("Name", operation.id)
    return checks(actions[operation.kind], operation.arn("events", f"rule/{rule}"))


def _route53(name: str, operation: ResourceOperation) -> list[Check] | None:
    match name:
        case "HostedZone":
            actions = {
                "create": "route53:CreateHostedZone",
                "update": "route53:UpdateHostedZoneComment",
                "delete": "route53:DeleteHostedZone",
            }
            arn = _ZONE_ARN + operation.id
        case "HealthCheck":
            actions = {
                "create": "route53:CreateHealthCheck",
                "update": "route53:UpdateHealthCheck",
                "delete": "route53:DeleteHealthCheck",
            }
            arn = f"arn:aws:route53:::healthcheck/{operation.id}"
        case "RecordSet":
            return [_record(operation.now["HostedZoneId"], str(operation.now["Name"]))]
        case _:
            return None

    # A resource that does not exist yet has no ARN to check.
    resource = "*" if operation.kind == "create" else arn
    return [Check(actions[operation.kind], resource)]


def _certificates(name: str, operation: ResourceOperation) -> list[Check] | None:
    if name != "Certificate":
        return None

    match operation.kind:
        case "create":
            needed = [Check("acm:RequestCertificate", "*")]
            # CloudFormation writes the validation records into the zones that are named.
            for option in operation.now.get("DomainValidationOptions") or ():
                if "HostedZoneId" in option:
                    record_name = f"_validation.{option['DomainName']}"
                    needed.append(_record(option["HostedZoneId"], record_name))
            return needed
        case "update":
            return [Check("acm:AddTagsToCertificate", operation.id)]
        case "delete":
            return [Check("acm:DeleteCertificate", operation.id)]
        case _:
            assert_never(operation.kind)


def _record(zone_id: object, name: str) -> Check:
    """Return the permission to change the record sets of a name in a zone."""
    context = {"route53:ChangeResourceRecordSetsNormalizedRecordNames": name.rstrip(".")}
    return Check("route53:ChangeResourceRecordSets", f"{_ZONE_ARN}{zone_id}", context)


# The second part of a resource type names the service, the third is passed to the function.
_SERVICES: Mapping[str, Callable[[str, ResourceOperation], list[Check] | None]] = {
    "ApiGateway": _api,
    "ApiGatewayV2": _api_v2,
    "CertificateManager": _certificates,
    "CloudWatch": _alarms,
    "EC2": _network,
    "Events": _events,
    "IAM": role_actions,
    "Lambda": lambda_actions,
    "Logs": _logs,
    "Route53": _route53,
    "S3": _storage,
    "Scheduler": _schedules,
}
