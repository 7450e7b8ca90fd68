"""A contract test for each gap of MiniStack that a patch fills, with boto3 on a running cloud.

When an upgrade of MiniStack fills a gap, its patch is deleted and its test stays.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

CHECK = {
    "Type": "HTTPS",
    "FullyQualifiedDomainName": "nowhere.example.net",
    "ResourcePath": "/v1",
    "Port": 443,
    "RequestInterval": 10,
    "FailureThreshold": 2,
    "EnableSNI": True,
}


def check_stack(**settings: Any) -> dict[str, Any]:
    properties = {
        "HealthCheckConfig": {**CHECK, **settings},
        "HealthCheckTags": [{"Key": "Name", "Value": "primary"}],
    }
    outputs = {
        "Ref": {"Value": {"Ref": "Check"}},
        "Id": {"Value": {"Fn::GetAtt": ["Check", "HealthCheckId"]}},
    }
    return {
        "Resources": {"Check": {"Type": "AWS::Route53::HealthCheck", "Properties": properties}},
        "Outputs": outputs,
    }


def zone_stack(name: str) -> dict[str, Any]:
    return {
        "Resources": {"Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": name}}},
        "Outputs": {
            "Id": {"Value": {"Ref": "Zone"}},
            "NameServers": {"Value": {"Fn::Join": [",", {"Fn::GetAtt": ["Zone", "NameServers"]}]}},
        },
    }


@pytest.fixture(scope="module")
def route53(aws: Any) -> Any:
    return aws.client("route53")


@pytest.fixture
def check(route53: Any) -> Any:
    """A health check that only this test uses."""
    health_check = route53.create_health_check(
        CallerReference=str(uuid.uuid4()), HealthCheckConfig=CHECK
    )["HealthCheck"]
    yield health_check
    route53.delete_health_check(HealthCheckId=health_check["Id"])


def code(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response: Any = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def records(route53: Any, zone_id: str) -> dict[tuple[str, str], Any]:
    listed = route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    return {(record["Name"], record["Type"]): record for record in listed}


class TestHealthCheckResource:
    """AWS::Route53::HealthCheck, which MiniStack's CloudFormation lacks."""

    def test_life(self, aws: Any, route53: Any) -> None:
        """It is created with tags, updated in place, replaced by a new interval, and deleted."""
        name = "check-life"
        created = aws.create_stack(name, check_stack())
        assert created["Ref"] == created["Id"]
        found = route53.get_health_check(HealthCheckId=created["Id"])["HealthCheck"]
        assert found["HealthCheckConfig"] == {
            **CHECK,
            "MeasureLatency": False,
            "Inverted": False,
            "Disabled": False,
        }
        tags = route53.list_tags_for_resource(ResourceType="healthcheck", ResourceId=created["Id"])[
            "ResourceTagSet"
        ]["Tags"]
        assert {"Key": "Name", "Value": "primary"} in tags

        assert (
            aws.update_stack(name, check_stack(FailureThreshold="5", Inverted="true"))["Id"]
            == created["Id"]
        )
        found = route53.get_health_check(HealthCheckId=created["Id"])["HealthCheck"]
        assert (
            found["HealthCheckConfig"]["FailureThreshold"],
            found["HealthCheckConfig"]["Inverted"],
        ) == (5, True)
        assert found["HealthCheckVersion"] == 2

        replaced = aws.update_stack(name, check_stack(RequestInterval=30))["Id"]
        assert replaced != created["Id"]
        with pytest.raises(ClientError):
            route53.get_health_check(HealthCheckId=created["Id"])

        aws.delete_stack(name)
        with pytest.raises(ClientError) as caught:
            route53.get_health_check(HealthCheckId=replaced)
        assert code(caught) == ("NoSuchHealthCheck", 404)

    def test_template_of_unsupported_type(self, aws: Any) -> None:
        """A stack with a health check that the checkers cannot run fails with the reason."""
        with pytest.raises(AssertionError, match="not supported"):
            aws.create_stack("check-refused", check_stack(Type="CALCULATED"))


class TestHealthCheckApi:
    """Route 53's API where MiniStack lacks it or differs."""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"Type": "CALCULATED", "HealthThreshold": 1, "ChildHealthChecks": []},
            {"Type": "RECOVERY_CONTROL"},
            {"Type": "HTTPS"},
            {**CHECK, "RequestInterval": 11},
            {**CHECK, "FailureThreshold": 10, "MeasureLatency": True},
            {**CHECK, "Regions": ["us-east-1", "us-west-1", "eu-west-1"]},
            {"Type": "TCP", "IPAddress": "127.0.0.11"},
        ],
    )
    def test_create_refuses(self, route53: Any, wrong: Any) -> None:
        """Settings that the local checkers do not support are refused and not stored."""
        with pytest.raises(ClientError) as caught:
            route53.create_health_check(CallerReference=str(uuid.uuid4()), HealthCheckConfig=wrong)
        assert code(caught) == ("InvalidInput", 400)

    def test_caller_reference(self, route53: Any, check: Any) -> None:
        """A repeated request returns the same health check; other settings are refused."""
        reference = check["CallerReference"]
        again = route53.create_health_check(CallerReference=reference, HealthCheckConfig=CHECK)[
            "HealthCheck"
        ]
        assert again["Id"] == check["Id"]
        with pytest.raises(ClientError) as caught:
            route53.create_health_check(
                CallerReference=reference, HealthCheckConfig={**CHECK, "FailureThreshold": 9}
            )
        assert code(caught) == ("HealthCheckAlreadyExists", 409)

    def test_booleans(self, route53: Any, check: Any) -> None:
        """Booleans are returned as they were sent (in lower case in XML)."""
        assert check["HealthCheckConfig"]["EnableSNI"] is True
        updated = route53.update_health_check(HealthCheckId=check["Id"], Inverted=True)[
            "HealthCheck"
        ]
        assert updated["HealthCheckConfig"]["Inverted"] is True
        assert updated["HealthCheckConfig"]["Disabled"] is False

    def test_update_is_compare_and_swap(self, route53: Any, check: Any) -> None:
        """An update of a stale version is refused and changes nothing."""
        updated = route53.update_health_check(
            HealthCheckId=check["Id"], HealthCheckVersion=1, Inverted=True
        )["HealthCheck"]
        assert updated["HealthCheckVersion"] == 2
        with pytest.raises(ClientError) as caught:
            route53.update_health_check(
                HealthCheckId=check["Id"], HealthCheckVersion=1, Inverted=False
            )
        assert code(caught) == ("HealthCheckVersionMismatch", 409)
        now = route53.get_health_check(HealthCheckId=check["Id"])["HealthCheck"]
        assert (now["HealthCheckVersion"], now["HealthCheckConfig"]["Inverted"]) == (2, True)

    def test_update_resets_and_refuses(self, route53: Any, check: Any) -> None:
        """ResetElements removes a setting; an update that is not supported changes nothing."""
        updated = route53.update_health_check(
            HealthCheckId=check["Id"], ResetElements=["ResourcePath"]
        )["HealthCheck"]
        assert "ResourcePath" not in updated["HealthCheckConfig"]
        with pytest.raises(ClientError) as caught:
            route53.update_health_check(
                HealthCheckId=check["Id"], FailureThreshold=11, Inverted=True
            )
        assert code(caught) == ("InvalidInput", 400)
        assert (
            route53.get_health_check(HealthCheckId=check["Id"])["HealthCheck"]["HealthCheckVersion"]
            == 2
        )

    def test_status_and_last_failure(self, route53: Any, check: Any) -> None:
        """Each checker reports its address, status and time, and the reason of a failure.

        The checked name does not resolve.
        """
        seen: Any = []
        # The first checks come within an interval of the cloud's seconds; the timeout is pytest's
        while not seen:
            seen = route53.get_health_check_status(HealthCheckId=check["Id"])[
                "HealthCheckObservations"
            ]
        assert seen[0]["IPAddress"] == "127.0.0.1"
        assert seen[0]["StatusReport"]["Status"].startswith("Failure")
        assert seen[0]["StatusReport"]["CheckedTime"].year >= 2026
        failed = route53.get_health_check_last_failure_reason(HealthCheckId=check["Id"])[
            "HealthCheckObservations"
        ]
        assert "DNS" in failed[0]["StatusReport"]["Status"]

    def test_unknown(self, route53: Any) -> None:
        """A health check that does not exist has no status."""
        with pytest.raises(ClientError) as caught:
            route53.get_health_check_status(HealthCheckId=str(uuid.uuid4()))
        assert code(caught) == ("NoSuchHealthCheck", 404)


class TestZones:
    """Hosted zones and record sets."""

    def test_name_servers(self, route53: Any, service: Any) -> None:
        """Fn::GetAtt NameServers names the servers of the zone's NS record set."""
        ns = records(route53, service.zone_id)[f"{service.domain}.", "NS"]
        assert sorted(service.name_servers) == sorted(
            value["Value"].rstrip(".") for value in ns["ResourceRecords"]
        )

    def test_zone_with_records_is_kept(self, aws: Any, route53: Any) -> None:
        """A stack cannot delete a zone that has other records than its own, as on AWS; without them
        it can.
        """
        zone = aws.create_stack("zone-kept", zone_stack("kept.example"))
        record = {
            "Name": "www.kept.example",
            "Type": "A",
            "TTL": 60,
            "ResourceRecords": [{"Value": "127.0.0.9"}],
        }

        def change(action: str) -> None:
            batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
            route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=batch)

        change("CREATE")
        assert aws.delete_stack("zone-kept") == "DELETE_FAILED"
        change("DELETE")
        assert aws.delete_stack("zone-kept") == "DELETE_COMPLETE"

    def test_record_set_group(self, aws: Any, route53: Any) -> None:
        """AWS::Route53::RecordSetGroup creates, changes and deletes its record sets together."""
        zone = aws.create_stack("group-zone", zone_stack("group.example"))

        def group(*members: tuple[str, str]) -> dict[str, Any]:
            sets = [
                {"Name": f"{name}.group.example", "Type": "A", "TTL": "60", "ResourceRecords": [ip]}
                for name, ip in members
            ]
            properties = {"HostedZoneId": zone["Id"], "RecordSets": sets}
            return {
                "Resources": {
                    "Group": {"Type": "AWS::Route53::RecordSetGroup", "Properties": properties}
                }
            }

        def addresses() -> dict[str, str]:
            found = records(route53, zone["Id"])
            return {
                name: record["ResourceRecords"][0]["Value"]
                for (name, kind), record in found.items()
                if kind == "A"
            }

        aws.create_stack("group", group(("a", "127.0.0.1"), ("b", "127.0.0.2")))
        assert addresses() == {"a.group.example.": "127.0.0.1", "b.group.example.": "127.0.0.2"}
        aws.update_stack("group", group(("b", "127.0.0.3"), ("c", "127.0.0.4")))
        assert addresses() == {"b.group.example.": "127.0.0.3", "c.group.example.": "127.0.0.4"}
        aws.delete_stack("group")
        assert addresses() == {}

    def test_dns_answer(self, route53: Any, service: Any) -> None:
        """TestDNSAnswer tells what the name server answers."""
        answer = route53.test_dns_answer(
            HostedZoneId=service.zone_id, RecordName=service.domain, RecordType="NS"
        )
        assert (answer["ResponseCode"], answer["Protocol"]) == ("NOERROR", "UDP")
        assert {name.rstrip(".") for name in answer["RecordData"]} == set(service.name_servers)
        absent = route53.test_dns_answer(
            HostedZoneId=service.zone_id, RecordName=f"no.{service.domain}", RecordType="A"
        )
        assert (absent["ResponseCode"], absent["RecordData"]) == ("NXDOMAIN", [])


class TestDomains:
    """API Gateway's custom domain names."""

    def test_regions_are_apart(self, aws: Any, service: Any) -> None:
        """The same domain in two regions has each region's hosted zone, certificate and mapping,
        and a target of its own.
        """
        clients = {region: aws.client("apigateway", region) for region in service.regions}
        found = {
            region: client.get_domain_name(domainName=service.domain)
            for region, client in clients.items()
        }
        east, west = found["us-east-1"], found["us-west-2"]
        assert (east["regionalHostedZoneId"], west["regionalHostedZoneId"]) == (
            "Z1UJRXOUMOOFQ8",
            "Z2OJLYMUO9EFXC",
        )
        for region, domain in found.items():
            outputs = service.regions[region]
            assert domain["regionalCertificateArn"] == outputs["CertificateArn"]
            assert f":{region}:" in domain["regionalCertificateArn"]
            assert domain["regionalDomainName"] == outputs["FriendlyRegionalDomainName"]
            assert domain["regionalDomainName"].endswith(f".execute-api.{region}.amazonaws.com")
            assert outputs["FriendlyRegionalDomainName"] != outputs["RegionalRegionalDomainName"]
            mappings = aws.client("apigateway", region).get_base_path_mappings(
                domainName=service.domain
            )["items"]
            assert [mapping["restApiId"] for mapping in mappings] == [outputs["ApiId"]]

    @pytest.mark.parametrize(
        ("region", "certificate_of", "name", "types", "reason"),
        [
            ("us-west-2", "us-east-1", "dev.example.com", ["REGIONAL"], "must be in 'us-west-2'"),
            ("us-east-1", "us-east-1", "other.example.com", ["REGIONAL"], "does not cover"),
            ("us-east-1", "us-east-1", "dev.example.com", ["EDGE"], "regional endpoints only"),
            ("eu-west-1", "us-east-1", "dev.example.com", ["REGIONAL"], "no edge in eu-west-1"),
        ],
    )
    def test_refused(
        self,
        aws: Any,
        service: Any,
        region: str,
        certificate_of: str,
        name: str,
        types: Any,
        reason: str,
    ) -> None:
        """A domain needs an edge in its region and an issued certificate of that region which
        covers it.
        """
        with pytest.raises(ClientError, match=reason):
            aws.client("apigateway", region).create_domain_name(
                domainName=name,
                endpointConfiguration={"types": types},
                regionalCertificateArn=service.regions[certificate_of]["CertificateArn"],
            )

    def test_default_endpoint_is_disabled(self, aws: Any, service: Any) -> None:
        """CloudFormation's DisableExecuteApiEndpoint reaches the API."""
        for region, outputs in service.regions.items():
            assert (
                aws.client("apigateway", region).get_rest_api(restApiId=outputs["ApiId"])[
                    "disableExecuteApiEndpoint"
                ]
                is True
            )


class TestCertificates:
    """ACM certificates and their DNS validation."""

    def test_validated_by_cloudformation(self, aws: Any, route53: Any, service: Any) -> None:
        """With HostedZoneId the records are in the zone, one for both regions' certificates, and
        the certificates are issued.
        """
        found = records(route53, service.zone_id)
        shared = set()
        for region, outputs in service.regions.items():
            certificate = aws.client("acm", region).describe_certificate(
                CertificateArn=outputs["CertificateArn"]
            )["Certificate"]
            assert certificate["Status"] == "ISSUED"
            for options in certificate["DomainValidationOptions"]:
                assert options["ValidationStatus"] == "SUCCESS"
                wanted = options["ResourceRecord"]
                assert found[wanted["Name"], "CNAME"]["ResourceRecords"] == [
                    {"Value": wanted["Value"]}
                ]
                shared |= {wanted["Name"]} if options["DomainName"] == service.domain else set()
        assert len(shared) == 1

    def test_pending_until_the_record_is_there(self, aws: Any, route53: Any) -> None:
        """A certificate asked for by API is PENDING_VALIDATION until its CNAME is in a hosted zone,
        then ISSUED.
        """
        acm = aws.client("acm", "us-west-2")
        arn = acm.request_certificate(DomainName="late.example", ValidationMethod="DNS")[
            "CertificateArn"
        ]

        def certificate() -> Any:
            return acm.describe_certificate(CertificateArn=arn)["Certificate"]

        assert certificate()["Status"] == "PENDING_VALIDATION"
        assert "IssuedAt" not in certificate()
        zone = aws.create_stack("late-zone", zone_stack("late.example"))
        assert certificate()["Status"] == "PENDING_VALIDATION"
        wanted = certificate()["DomainValidationOptions"][0]["ResourceRecord"]
        record = {
            "Name": wanted["Name"],
            "Type": "CNAME",
            "TTL": 60,
            "ResourceRecords": [{"Value": wanted["Value"]}],
        }
        batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=batch)
        assert certificate()["Status"] == "ISSUED"
        assert "IssuedAt" in certificate()

    def test_stack_waits_and_records_stay(self, aws: Any, route53: Any) -> None:
        """A stack waits for a certificate without blocking the cloud, and leaves the validation
        records when it is deleted.
        """
        properties = {"DomainName": "*.wait.example", "ValidationMethod": "DNS"}
        template = {
            "Resources": {
                "Certificate": {
                    "Type": "AWS::CertificateManager::Certificate",
                    "Properties": properties,
                }
            }
        }
        aws.start_stack("waits", template, "us-west-2")
        zone = aws.create_stack("wait-zone", zone_stack("wait.example"))
        assert aws.status("waits", "us-west-2") == "CREATE_IN_PROGRESS"
        with_record = {
            "DomainName": "wait.example",
            "ValidationMethod": "DNS",
            "DomainValidationOptions": [{"DomainName": "wait.example", "HostedZoneId": zone["Id"]}],
        }
        other = {
            "Resources": {
                "Certificate": {
                    "Type": "AWS::CertificateManager::Certificate",
                    "Properties": with_record,
                }
            }
        }
        aws.create_stack("does-not-wait", other)
        aws.outputs("waits", "us-west-2")
        aws.delete_stack("does-not-wait")
        assert [name for name, kind in records(route53, zone["Id"]) if kind == "CNAME"] != []

    def test_email(self, aws: Any) -> None:
        """Validation by email, CloudFormation's default, is refused: no one would answer the
        email.
        """
        resource = {
            "Type": "AWS::CertificateManager::Certificate",
            "Properties": {"DomainName": "mail.example"},
        }
        with pytest.raises(AssertionError, match="use DNS"):
            aws.create_stack("mail", {"Resources": {"Certificate": resource}})


def test_a_function_keeps_its_vpc(aws: Any) -> None:
    """As CloudFormation gave it, also when an update attaches the function or takes it out."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    function: dict[str, Any] = {
        "FunctionName": "in-vpc",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": "def handler(event, context): pass"},
    }
    template = {
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/24"}},
            "Subnet": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.9.0.0/25"},
            },
            "Role": {"Type": "AWS::IAM::Role", "Properties": role},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        },
        "Outputs": {"Subnet": {"Value": {"Ref": "Subnet"}}},
    }

    def subnets() -> Any:
        return (
            aws.client("lambda")
            .get_function_configuration(FunctionName="in-vpc")
            .get("VpcConfig", {})
            .get("SubnetIds", [])
        )

    function["VpcConfig"] = {"SubnetIds": [{"Ref": "Subnet"}], "SecurityGroupIds": []}
    subnet = aws.create_stack("in-vpc", template)["Subnet"]
    assert subnets() == [subnet]
    del function["VpcConfig"]
    aws.update_stack("in-vpc", template)
    assert subnets() == []
    function["VpcConfig"] = {"SubnetIds": [{"Ref": "Subnet"}], "SecurityGroupIds": []}
    aws.update_stack("in-vpc", template)
    assert subnets() == [subnet]


def test_foreign_services_are_refused(aws: Any) -> None:
    """Services that would need Docker or listen beyond loopback are refused, by their API and in
    templates.
    """
    with pytest.raises(ClientError):
        aws.client("ecs").list_clusters()
    template = {"Resources": {"Cluster": {"Type": "AWS::ECS::Cluster"}}}
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        aws.create_stack("cluster", template)


class TestSchedules:
    """EventBridge Scheduler, which MiniStack looks at every ten seconds only."""

    def test_a_one_time_schedule_fires_on_time_and_deletes_itself(self, aws: Any) -> None:
        """Not before the second that it names, and soon after, whatever the cloud's speed."""
        queue = aws.client("sqs").create_queue(QueueName="fired")["QueueUrl"]
        arn = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])[
            "Attributes"
        ]["QueueArn"]
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
        aws.client("scheduler").create_schedule(
            Name="once",
            ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={"Arn": arn, "RoleArn": "arn:aws:iam::000000000000:role/any", "Input": "now"},
        )
        [message] = aws.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=10)[
            "Messages"
        ]
        assert message["Body"] == "now"
        assert due <= datetime.now(UTC)
        assert aws.client("scheduler").list_schedules(NamePrefix="once")["Schedules"] == []
