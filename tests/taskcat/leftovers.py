"""Find the resources of taskcat's stacks that exist after the stacks were deleted."""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import jmespath

CERTIFICATE = "AWS::CertificateManager::Certificate"
ZONE = "AWS::Route53::HostedZone"
# How to list the resources that exist by themselves: the service, the operation, and the JMESPath of
# the CloudFormation ids in the answer.
LISTED = {
    "AWS::ApiGateway::DomainName": ("apigateway", "get_domain_names", "items[].domainName"),
    "AWS::ApiGateway::RestApi": ("apigateway", "get_rest_apis", "items[].id"),
    "AWS::ApiGatewayV2::Api": ("apigatewayv2", "get_apis", "Items[].ApiId"),
    "AWS::ApiGatewayV2::DomainName": ("apigatewayv2", "get_domain_names", "Items[].DomainName"),
    CERTIFICATE: ("acm", "list_certificates", "CertificateSummaryList[].CertificateArn"),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    "AWS::EC2::RouteTable": ("ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    "AWS::EC2::SecurityGroup": ("ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    "AWS::EC2::Subnet": ("ec2", "describe_subnets", "Subnets[].SubnetId"),
    "AWS::EC2::VPC": ("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    "AWS::EC2::VPCEndpoint": (
        "ec2",
        "describe_vpc_endpoints",
        "VpcEndpoints[?State!='deleted'].VpcEndpointId",
    ),
    "AWS::Events::Rule": ("events", "list_rules", "Rules[].Name"),
    "AWS::IAM::ManagedPolicy": ("iam", "list_policies", "Policies[].Arn"),
    "AWS::IAM::OIDCProvider": (
        "iam",
        "list_open_id_connect_providers",
        "OpenIDConnectProviderList[].Arn",
    ),
    "AWS::IAM::Role": ("iam", "list_roles", "Roles[].RoleName"),
    "AWS::Lambda::Function": ("lambda", "list_functions", "Functions[].FunctionName"),
    "AWS::Logs::LogGroup": ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    "AWS::Route53::HealthCheck": ("route53", "list_health_checks", "HealthChecks[].Id"),
    ZONE: ("route53", "list_hosted_zones", "HostedZones[].Id"),
    "AWS::S3::Bucket": ("s3", "list_buckets", "Buckets[].Name"),
    "AWS::Scheduler::ScheduleGroup": ("scheduler", "list_schedule_groups", "ScheduleGroups[].Name"),
}

# The types that are deleted with a resource of another type, or with one of the prerequisites.
DEPENDENT = {
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::Lambda::Permission",
    "AWS::Route53::RecordSet",
    "AWS::S3::BucketPolicy",
}


@dataclass(frozen=True)
class Resource:
    """A resource of a stack: its CloudFormation type, its physical id, its region."""

    type: str
    id: str
    region: str

    def __str__(self) -> str:
        return f"{self.type} {self.id} in {self.region}"


def validation_names(resources: Iterable[Resource]) -> set[str]:
    """Return the names of the records that validate the certificates among the resources.

    The certificates must still exist.
    """
    names = set()
    for resource in resources:
        if resource.type != CERTIFICATE:
            continue
        acm = boto3.client("acm", region_name=resource.region)
        certificate = acm.describe_certificate(CertificateArn=resource.id)["Certificate"]
        for option in certificate["DomainValidationOptions"]:
            names.add(option["ResourceRecord"]["Name"])
    return names


def end_recovery(route53: Any, zone_id: str) -> None:
    """Turn accelerated recovery off: Route 53 deletes no zone that has it. It takes some minutes."""

    def status() -> str:
        zone = route53.get_hosted_zone(Id=zone_id)["HostedZone"]
        return str(zone.get("Features", {}).get("AcceleratedRecoveryStatus", "DISABLED"))

    while status().startswith("ENABLING"):
        time.sleep(5)
    if status() != "DISABLED":
        route53.update_hosted_zone_features(HostedZoneId=zone_id, EnableAcceleratedRecovery=False)
    while status() not in ("DISABLED", "DISABLE_FAILED"):
        time.sleep(5)


def delete_retained(resources: Sequence[Resource], validation: Collection[str]) -> None:
    """Delete what outlives its stack.

    These are the hosted zones, which their template retains and which have no records but their
    own, and the records of the names in `validation`, which CloudFormation creates for certificates
    and never deletes.
    """
    route53 = boto3.client("route53")
    for resource in resources:
        if resource.type == ZONE:
            end_recovery(route53, resource.id)
            route53.delete_hosted_zone(Id=resource.id)

    if not validation:
        return
    ssm = boto3.client("ssm", region_name=resources[0].region)
    parameter = ssm.get_parameter(Name="/deploytool/taskcat/HostedZoneId")["Parameter"]
    zone_id = parameter["Value"]
    pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
    changes = [
        {"Action": "DELETE", "ResourceRecordSet": record}
        for record in pages.search("ResourceRecordSets[]")
        if record["Name"] in validation
    ]
    route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})


def listable(resources: Iterable[Resource]) -> list[Resource]:
    """Return the resources that exist by themselves. Raises KeyError for an unknown type."""
    return [
        resource
        for resource in resources
        if resource.type not in DEPENDENT and LISTED[resource.type]
    ]


def still_there(resources: Iterable[Resource]) -> list[Resource]:
    """Return those of the resources that can be listed now."""
    candidates = listable(resources)
    existing: set[Resource] = set()
    for type_, region in {(resource.type, resource.region) for resource in candidates}:
        service, operation, path = LISTED[type_]
        client = boto3.client(service, region_name=region)
        if client.can_paginate(operation):
            ids = client.get_paginator(operation).paginate().search(path)
        else:
            ids = jmespath.search(path, getattr(client, operation)())
        for id_ in ids:
            existing.add(Resource(type_, str(id_).removeprefix("/hostedzone/"), region))
    return [resource for resource in candidates if resource in existing]
