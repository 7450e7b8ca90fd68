"""What taskcat's stacks held, looked for again after they have been deleted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import boto3

ZONE = "AWS::Route53::HostedZone"
# How to list the resources that stand by themselves: service, operation, and where each one's CloudFormation id is in the answer.
# The others (methods, stages, mappings, policies, associations) go with one of these, or with an API that is looked into below.
LISTED = {
    "AWS::ApiGateway::DomainName": ("apigateway", "get_domain_names", "items[].domainName"),
    "AWS::ApiGateway::RestApi": ("apigateway", "get_rest_apis", "items[].id"),
    "AWS::CertificateManager::Certificate": ("acm", "list_certificates", "CertificateSummaryList[].CertificateArn"),
    "AWS::EC2::RouteTable": ("ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    "AWS::EC2::SecurityGroup": ("ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    "AWS::EC2::Subnet": ("ec2", "describe_subnets", "Subnets[].SubnetId"),
    "AWS::EC2::VPC": ("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    "AWS::EC2::VPCEndpoint": ("ec2", "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId"),
    "AWS::IAM::Role": ("iam", "list_roles", "Roles[].RoleName"),
    "AWS::Lambda::Function": ("lambda", "list_functions", "Functions[].FunctionName"),
    "AWS::Logs::LogGroup": ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    "AWS::Route53::HealthCheck": ("route53", "list_health_checks", "HealthChecks[].Id"),
    ZONE: ("route53", "list_hosted_zones", "HostedZones[].Id"),
    "AWS::S3::Bucket": ("s3", "list_buckets", "Buckets[].Name"),
    "AWS::Scheduler::ScheduleGroup": ("scheduler", "list_schedule_groups", "ScheduleGroups[].Name"),
}


@dataclass(frozen=True)
class Resource:
    """A resource of a stack: its CloudFormation type, its physical id, its region."""

    type: str
    id: str
    region: str


def delete_retained(session: boto3.Session, made: Sequence[Resource]) -> None:
    """Delete what a template keeps on purpose: the hosted zones. They hold no records but their own."""
    for resource in made:
        if resource.type == ZONE:
            session.client("route53").delete_hosted_zone(Id=resource.id)


def still_there(session: boto3.Session, made: Sequence[Resource]) -> Iterator[Resource]:
    """Those of `made` that can still be listed."""
    for kind, region in sorted({(each.type, each.region) for each in made if each.type in LISTED}):
        service, operation, path = LISTED[kind]
        pages = session.client(service, region_name=region).get_paginator(operation).paginate()
        found = {str(name).removeprefix("/hostedzone/") for name in pages.search(path) if name}
        yield from (each for each in made if (each.type, each.region) == (kind, region) and each.id in found)
