"""What taskcat's stacks held, looked for again after they have been deleted."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import boto3
import jmespath

CERTIFICATE = "AWS::CertificateManager::Certificate"
ZONE = "AWS::Route53::HostedZone"
# How to list the resources that stand by themselves: service, operation, and where each one's
# CloudFormation id is in the answer.
LISTED = {
    "AWS::ApiGateway::DomainName": ("apigateway", "get_domain_names", "items[].domainName"),
    "AWS::ApiGateway::RestApi": ("apigateway", "get_rest_apis", "items[].id"),
    CERTIFICATE: ("acm", "list_certificates", "CertificateSummaryList[].CertificateArn"),
    "AWS::EC2::RouteTable": ("ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    "AWS::EC2::SecurityGroup": ("ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    "AWS::EC2::Subnet": ("ec2", "describe_subnets", "Subnets[].SubnetId"),
    "AWS::EC2::VPC": ("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    "AWS::EC2::VPCEndpoint": (
        "ec2",
        "describe_vpc_endpoints",
        "VpcEndpoints[?State!='deleted'].VpcEndpointId",
    ),
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


# Those that go with another one: with one of the above, or with one of the prerequisites.
DEPENDENT = {
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::Stage",
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


def validation_names(made: Iterable[Resource]) -> set[str]:
    """The names of the records by which the certificates among `made` are validated; to be asked
    while these stand.
    """
    described = (
        boto3.client("acm", region_name=each.region).describe_certificate(CertificateArn=each.id)[
            "Certificate"
        ]
        for each in made
        if each.type == CERTIFICATE
    )
    return {
        option["ResourceRecord"]["Name"]
        for each in described
        for option in each["DomainValidationOptions"]
    }


def delete_retained(made: Sequence[Resource], names: Collection[str]) -> None:
    """Delete what outlives its stack: hosted zones, which their template keeps and which hold no
    records but their own, and records of these `names`, which CloudFormation makes for certificates
    and never deletes.
    """
    route53 = boto3.client("route53")
    for resource in made:
        if resource.type == ZONE:
            route53.delete_hosted_zone(Id=resource.id)
    if names:
        zone = boto3.client("ssm", region_name=made[0].region).get_parameter(
            Name="/deploytool/taskcat/HostedZoneId"
        )["Parameter"]["Value"]
        found = (
            route53.get_paginator("list_resource_record_sets")
            .paginate(HostedZoneId=zone)
            .search("ResourceRecordSets[]")
        )
        changes = [
            {"Action": "DELETE", "ResourceRecordSet": record}
            for record in found
            if record["Name"] in names
        ]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def listable(made: Iterable[Resource]) -> list[Resource]:
    """Those that stand by themselves. Raises KeyError for a type that this module does not know."""
    return [each for each in made if each.type not in DEPENDENT and LISTED[each.type]]


def still_there(made: Iterable[Resource]) -> list[Resource]:
    """Those of `made` that can be listed now."""
    wanted = listable(made)
    found: set[Resource] = set()
    for kind, region in {(each.type, each.region) for each in wanted}:
        service, operation, path = LISTED[kind]
        client = boto3.client(service, region_name=region)
        if client.can_paginate(operation):
            names = client.get_paginator(operation).paginate().search(path)
        else:
            names = jmespath.search(path, getattr(client, operation)())
        found |= {Resource(kind, str(name).removeprefix("/hostedzone/"), region) for name in names}
    return [each for each in wanted if each in found]
