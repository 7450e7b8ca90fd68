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

        def settings(health_check_id: str) -> Any:
            health_check = route53.get_health_check(HealthCheckId=health_check_id)["HealthCheck"]
            return health_check["HealthCheckVersion"], health_check["HealthCheckConfig"]

        created = aws.create_stack(name, check_stack())
        assert created["Ref"] == created["Id"]
        defaults = {"MeasureLatency": False, "Inverted": False, "Disabled": False}
        assert settings(created["Id"]) == (1, {**CHECK, **defaults})
        tags = route53.list_tags_for_resource(ResourceType="healthcheck", ResourceId=created["Id"])
        assert {"Key": "Name", "Value": "primary"} in tags["ResourceTagSet"]["Tags"]

        changed = check_stack(FailureThreshold="5", Inverted="true")
        updated = aws.update_stack(name, changed)
        assert updated["Id"] == created["Id"]
        version, config = settings(created["Id"])
        assert version == 2
        assert (config["FailureThreshold"], config["Inverted"]) == (5, True)

        replaced = aws.update_stack(name, check_stack(RequestInterval=30))["Id"]
        assert replaced != created["Id"]
        with pytest.raises(ClientError):
            route53.get_health_check(HealthCheckId=created["Id"])

        aws.delete_stack(name)
        with pytest.raises(ClientError) as caught:
            route53.get_health_check(HealthCheckId=replaced)
        assert code(caught) == ("NoSuchHealthCheck", 404)

    @pytest.mark.difference
    def test_template_of_unsupported_type(self, aws: Any) -> None:
        """A stack with a health check that the checkers cannot run fails with the reason."""
        with pytest.raises(AssertionError, match="not supported"):
            aws.create_stack("check-refused", check_stack(Type="RECOVERY_CONTROL"))


class TestHealthCheckApi:
    """Route 53's API where MiniStack lacks it or differs."""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"Type": "RECOVERY_CONTROL"},
            {"Type": "HTTPS"},
            {**CHECK, "RequestInterval": 11},
            {**CHECK, "FailureThreshold": 10, "MeasureLatency": True},
            {**CHECK, "Regions": ["us-east-1", "us-west-1", "us-east-1"]},
            {**CHECK, "HealthThreshold": 1},
            {**CHECK, "ChildHealthChecks": ["another"]},
            {**CHECK, "AlarmIdentifier": {"Region": "us-east-1", "Name": "an-alarm"}},
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
        current = route53.get_health_check(HealthCheckId=check["Id"])["HealthCheck"]
        assert current["HealthCheckVersion"] == 2

    @pytest.mark.difference
    def test_status_and_last_failure(self, route53: Any, check: Any) -> None:
        """Each checker reports its address, status and time, and the reason of a failure.

        The checked name does not resolve.
        """
        observations: Any = []
        # The first checks are made within an interval of the cloud's seconds. Pytest has the timeout.
        while not observations:
            status = route53.get_health_check_status(HealthCheckId=check["Id"])
            observations = status["HealthCheckObservations"]
        first = observations[0]
        assert first["IPAddress"] == "127.0.0.1"
        assert first["StatusReport"]["Status"].startswith("Failure")
        assert first["StatusReport"]["CheckedTime"].year >= 2026

        failure = route53.get_health_check_last_failure_reason(HealthCheckId=check["Id"])
        last = failure["HealthCheckObservations"][0]
        assert "DNS" in last["StatusReport"]["Status"]

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
        """A stack cannot delete a zone while it has other records than its SOA and NS, as on AWS."""
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
            result: dict[str, str] = {}
            for (name, kind), record in records(route53, zone["Id"]).items():
                if kind == "A":
                    result[name] = record["ResourceRecords"][0]["Value"]
            return result

        aws.create_stack("group", group(("a", "127.0.0.1"), ("b", "127.0.0.2")))
        assert addresses() == {"a.group.example.": "127.0.0.1", "b.group.example.": "127.0.0.2"}
        aws.update_stack("group", group(("b", "127.0.0.3"), ("c", "127.0.0.4")))
        assert addresses() == {"b.group.example.": "127.0.0.3", "c.group.example.": "127.0.0.4"}
        aws.delete_stack("group")
        assert addresses() == {}

    @pytest.mark.difference
    def test_dns_answer(self, route53: Any, service: Any) -> None:
        """TestDNSAnswer returns the answer of the name server.

        It names one of the zone's name servers (API reference, TestDNSAnswer). Here all of them have
        one address, which stands for them.
        """
        answer = route53.test_dns_answer(
            HostedZoneId=service.zone_id, RecordName=service.domain, RecordType="NS"
        )
        assert (answer["ResponseCode"], answer["Protocol"]) == ("NOERROR", "UDP")
        assert answer["Nameserver"] == "127.0.0.1"
        assert {name.rstrip(".") for name in answer["RecordData"]} == set(service.name_servers)
        absent = route53.test_dns_answer(
            HostedZoneId=service.zone_id, RecordName=f"no.{service.domain}", RecordType="A"
        )
        assert (absent["ResponseCode"], absent["RecordData"]) == ("NXDOMAIN", [])


class TestDomains:
    """API Gateway's custom domain names."""

    def test_regions_are_apart(self, aws: Any, service: Any) -> None:
        """The same domain has its own hosted zone, certificate, target and mapping in each region."""
        hosted_zones = {"us-east-1": "Z1UJRXOUMOOFQ8", "us-west-2": "Z2OJLYMUO9EFXC"}
        assert hosted_zones.keys() == service.regions.keys()
        for region, outputs in service.regions.items():
            client = aws.client("apigateway", region)
            domain = client.get_domain_name(domainName=service.domain)
            assert domain["regionalHostedZoneId"] == hosted_zones[region]
            assert domain["regionalCertificateArn"] == outputs["CertificateArn"]
            assert f":{region}:" in domain["regionalCertificateArn"]
            assert domain["regionalDomainName"] == outputs["FriendlyRegionalDomainName"]
            assert domain["regionalDomainName"].endswith(f".execute-api.{region}.amazonaws.com")
            assert outputs["FriendlyRegionalDomainName"] != outputs["RegionalRegionalDomainName"]
            mappings = client.get_base_path_mappings(domainName=service.domain)["items"]
            assert [mapping["restApiId"] for mapping in mappings] == [outputs["ApiId"]]

    @pytest.mark.difference
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
        """A domain needs an edge and an issued certificate in its region, which covers its name."""
        with pytest.raises(ClientError, match=reason):
            aws.client("apigateway", region).create_domain_name(
                domainName=name,
                endpointConfiguration={"types": types},
                regionalCertificateArn=service.regions[certificate_of]["CertificateArn"],
            )

    def test_one_owner_a_region(self, aws: Any, service: Any) -> None:
        """A name is taken once in a region, in both versions of the API and for stacks.

        Sources: API Gateway Developer Guide, "Custom domain name for public REST APIs in API
        Gateway" ("must be unique within a Region across all AWS accounts"); Zappa's common errors
        quote the message.
        """
        arn = service.regions["us-east-1"]["CertificateArn"]
        with pytest.raises(ClientError, match="The domain name you provided already exists") as v1:
            aws.client("apigateway").create_domain_name(
                domainName=service.domain,
                endpointConfiguration={"types": ["REGIONAL"]},
                regionalCertificateArn=arn,
            )
        assert code(v1) == ("BadRequestException", 400)

        configuration = {"CertificateArn": arn, "EndpointType": "REGIONAL"}
        with pytest.raises(ClientError, match="The domain name you provided already exists") as v2:
            aws.client("apigatewayv2").create_domain_name(
                DomainName=service.domain, DomainNameConfigurations=[configuration]
            )
        assert code(v2) == ("ConflictException", 409)

        properties = {
            "DomainName": service.domain,
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
            "RegionalCertificateArn": arn,
        }
        domain = {"Type": "AWS::ApiGateway::DomainName", "Properties": properties}
        with pytest.raises(AssertionError, match="DescribeEvents"):
            aws.create_stack("second-owner", {"Resources": {"Domain": domain}})

    def test_default_endpoint_is_disabled(self, aws: Any, service: Any) -> None:
        """CloudFormation's DisableExecuteApiEndpoint reaches the API."""
        for region, outputs in service.regions.items():
            api = aws.client("apigateway", region).get_rest_api(restApiId=outputs["ApiId"])
            assert api["disableExecuteApiEndpoint"] is True


class TestCertificates:
    """ACM certificates and their DNS validation."""

    def test_validated_by_cloudformation(self, aws: Any, route53: Any, service: Any) -> None:
        """With HostedZoneId the certificates are issued; both regions share one record in the zone."""
        in_zone = records(route53, service.zone_id)
        names_of_domain = set()
        for region, outputs in service.regions.items():
            certificate = aws.client("acm", region).describe_certificate(
                CertificateArn=outputs["CertificateArn"]
            )["Certificate"]
            assert certificate["Status"] == "ISSUED"
            for options in certificate["DomainValidationOptions"]:
                assert options["ValidationStatus"] == "SUCCESS"
                required = options["ResourceRecord"]
                values = in_zone[required["Name"], "CNAME"]["ResourceRecords"]
                assert values == [{"Value": required["Value"]}]
                if options["DomainName"] == service.domain:
                    names_of_domain.add(required["Name"])
        assert len(names_of_domain) == 1

    def test_pending_until_the_record_is_there(self, aws: Any, route53: Any) -> None:
        """A certificate is PENDING_VALIDATION until its CNAME is in a hosted zone, then ISSUED."""
        acm = aws.client("acm", "us-west-2")
        requested = acm.request_certificate(DomainName="late.example", ValidationMethod="DNS")
        arn = requested["CertificateArn"]

        def certificate() -> Any:
            return acm.describe_certificate(CertificateArn=arn)["Certificate"]

        assert certificate()["Status"] == "PENDING_VALIDATION"
        assert "IssuedAt" not in certificate()
        zone = aws.create_stack("late-zone", zone_stack("late.example"))
        assert certificate()["Status"] == "PENDING_VALIDATION"
        required = certificate()["DomainValidationOptions"][0]["ResourceRecord"]
        record = {
            "Name": required["Name"],
            "Type": "CNAME",
            "TTL": 60,
            "ResourceRecords": [{"Value": required["Value"]}],
        }
        batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=batch)
        assert certificate()["Status"] == "ISSUED"
        assert "IssuedAt" in certificate()

    def test_stack_waits_and_records_stay(self, aws: Any, route53: Any) -> None:
        """A stack waits for its certificate without blocking the cloud; the records stay after it."""

        def certificate_stack(properties: dict[str, Any]) -> dict[str, Any]:
            type_ = "AWS::CertificateManager::Certificate"
            return {"Resources": {"Certificate": {"Type": type_, "Properties": properties}}}

        without_record = {"DomainName": "*.wait.example", "ValidationMethod": "DNS"}
        aws.start_stack("waits", certificate_stack(without_record), "us-west-2")
        zone = aws.create_stack("wait-zone", zone_stack("wait.example"))
        assert aws.status("waits", "us-west-2") == "CREATE_IN_PROGRESS"
        with_record = {
            "DomainName": "wait.example",
            "ValidationMethod": "DNS",
            "DomainValidationOptions": [{"DomainName": "wait.example", "HostedZoneId": zone["Id"]}],
        }
        # Both certificates have the same record, which this stack creates.
        aws.create_stack("does-not-wait", certificate_stack(with_record))
        aws.outputs("waits", "us-west-2")
        aws.delete_stack("does-not-wait")
        assert [name for name, kind in records(route53, zone["Id"]) if kind == "CNAME"] != []

    @pytest.mark.difference
    def test_email(self, aws: Any) -> None:
        """Validation by email, CloudFormation's default, is refused: nobody would answer it."""
        resource = {
            "Type": "AWS::CertificateManager::Certificate",
            "Properties": {"DomainName": "mail.example"},
        }
        with pytest.raises(AssertionError, match="use DNS"):
            aws.create_stack("mail", {"Resources": {"Certificate": resource}})


def test_a_function_keeps_its_vpc(aws: Any) -> None:
    """A function has the subnets of its template after a creation and after each update."""
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
        configuration = aws.client("lambda").get_function_configuration(FunctionName="in-vpc")
        return configuration.get("VpcConfig", {}).get("SubnetIds", [])

    function["VpcConfig"] = {"SubnetIds": [{"Ref": "Subnet"}], "SecurityGroupIds": []}
    subnet = aws.create_stack("in-vpc", template)["Subnet"]
    assert subnets() == [subnet]
    del function["VpcConfig"]
    aws.update_stack("in-vpc", template)
    assert subnets() == []
    function["VpcConfig"] = {"SubnetIds": [{"Ref": "Subnet"}], "SecurityGroupIds": []}
    aws.update_stack("in-vpc", template)
    assert subnets() == [subnet]


@pytest.mark.difference
def test_foreign_services_are_refused(aws: Any) -> None:
    """Services that the local cloud does not run are refused, by their API and in templates.

    AWS has them.
    """
    with pytest.raises(ClientError):
        aws.client("ecs").list_clusters()
    template = {"Resources": {"Cluster": {"Type": "AWS::ECS::Cluster"}}}
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        aws.create_stack("cluster", template)


class TestSchedules:
    """EventBridge Scheduler, whose schedules MiniStack checks every ten seconds only."""

    @pytest.mark.difference
    def test_a_one_time_schedule_fires_on_time_and_deletes_itself(self, aws: Any) -> None:
        """It fires soon after its second and not before, in wall time at any speed of the cloud."""
        sqs = aws.client("sqs")
        queue = sqs.create_queue(QueueName="fired")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
        aws.client("scheduler").create_schedule(
            Name="once",
            ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={"Arn": arn, "RoleArn": "arn:aws:iam::000000000000:role/any", "Input": "now"},
        )
        received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)
        [message] = received["Messages"]
        assert message["Body"] == "now"
        assert due <= datetime.now(UTC)
        assert aws.client("scheduler").list_schedules(NamePrefix="once")["Schedules"] == []

    def test_a_repeated_request_does_no_harm(self, aws: Any) -> None:
        """CreateSchedule and DeleteSchedule, repeated with their ClientToken, answer as before.

        Another request with the token is a conflict (our reading), as one with another token is.
        Source: API reference of EventBridge Scheduler, CreateSchedule and DeleteSchedule.
        """
        scheduler = aws.client("scheduler")
        target = {"Arn": "arn:aws:sqs:us-east-1:000000000000:q", "RoleArn": "arn:aws:iam::0:role/r"}
        request = {
            "Name": "repeated",
            "ScheduleExpression": "at(2036-01-01T00:00:00)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": target,
            "ClientToken": "a-token",
        }
        arn = scheduler.create_schedule(**request)["ScheduleArn"]
        assert scheduler.create_schedule(**request)["ScheduleArn"] == arn
        for other in (
            {"ClientToken": "another"},
            {"ScheduleExpression": "at(2037-01-01T00:00:00)"},
        ):
            with pytest.raises(ClientError) as caught:
                scheduler.create_schedule(**(request | other))
            assert code(caught) == ("ConflictException", 409)

        for _ in range(2):
            scheduler.delete_schedule(Name="repeated", ClientToken="deletion")
        with pytest.raises(ClientError) as caught:
            scheduler.delete_schedule(Name="repeated", ClientToken="another")
        assert code(caught) == ("ResourceNotFoundException", 404)
        # A schedule that was deleted since is created again (our reading).
        scheduler.create_schedule(**request)
        scheduler.delete_schedule(Name="repeated", ClientToken="last")
