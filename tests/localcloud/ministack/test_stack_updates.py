"""What CloudFormation counts as an update of a stack, with boto3 on a running cloud."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

TEMPLATE: dict[str, Any] = {
    "Description": "first",
    "Parameters": {"Value": {"Type": "String", "Default": "one"}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "a"}}},
    "Outputs": {"Given": {"Value": {"Ref": "Value"}}},
}


def changed(**sections: Any) -> dict[str, Any]:
    """Return the template with sections replaced."""
    return {**copy.deepcopy(TEMPLATE), **sections}


def change_set(aws: Any, stack: str, template: Mapping[str, Any], **parameters: str) -> Any:
    """Create a change set for an update and return its description."""
    cloudformation = aws.client("cloudformation")
    created = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=f"changes-{len(cloudformation.list_change_sets(StackName=stack)['Summaries'])}",
        TemplateBody=json.dumps(template),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
    )
    return cloudformation.describe_change_set(ChangeSetName=created["Id"])


def executed(aws: Any, stack: str, description: Mapping[str, Any]) -> dict[str, str]:
    """Execute a change set and return the outputs of the stack."""
    aws.client("cloudformation").execute_change_set(ChangeSetName=description["ChangeSetId"])
    outputs: dict[str, str] = aws.outputs(stack)
    return outputs


def description_of(aws: Any, stack: str) -> str:
    stacks = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return str(stacks[0]["Description"])


class TestOutputs:
    """A change of outputs alone is an update, whose change set lists no change.

    Source: aws/aws-cdk pull request 2029 ("CloudFormation generates a ChangeSet that is executable
    but has 0 changes").
    """

    @pytest.mark.parametrize(
        ("name", "template", "parameters"),
        [
            ("added", changed(Outputs={"Given": {"Value": "one"}, "New": {"Value": "x"}}), {}),
            ("removed", changed(Outputs={}), {}),
            ("by-a-parameter", TEMPLATE, {"Value": "two"}),
        ],
    )
    def test_alone(
        self, aws: Any, name: str, template: Mapping[str, Any], parameters: Mapping[str, str]
    ) -> None:
        """An output that is added, removed or given another value is an executable change set."""
        stack = f"outputs-{name}"
        aws.create_stack(stack, TEMPLATE)

        description = change_set(aws, stack, template, **parameters)
        assert (description["Status"], description["ExecutionStatus"]) == (
            "CREATE_COMPLETE",
            "AVAILABLE",
        )
        assert description["Changes"] == []

        outputs = executed(aws, stack, description)
        assert outputs.keys() == template["Outputs"].keys()
        assert outputs.get("Given", "") in ("", "one", *parameters.values())

    def test_nothing(self, aws: Any) -> None:
        """Without any difference a change set fails, as before."""
        aws.create_stack("outputs-same", TEMPLATE)
        description = change_set(aws, "outputs-same", TEMPLATE)
        assert description["Status"] == "FAILED"
        assert "didn't contain changes" in description["StatusReason"]


class TestDescription:
    """The description of a stack.

    Source: CloudFormation User Guide, "CloudFormation template Description syntax".
    """

    def test_follows_updates(self, aws: Any) -> None:
        """A stack shows the description of its last good operation, also after going back."""
        aws.create_stack("described", TEMPLATE)
        other = changed(
            Description="second",
            Resources={"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "b"}}},
        )

        executed(aws, "described", change_set(aws, "described", other))
        assert description_of(aws, "described") == "second"
        executed(aws, "described", change_set(aws, "described", TEMPLATE))
        assert description_of(aws, "described") == "first"

        aws.update_stack("described", other)
        assert description_of(aws, "described") == "second"

    def test_stays_after_a_rollback(self, aws: Any) -> None:
        """An update that fails leaves the description of before."""
        aws.create_stack("described-rollback", TEMPLATE)
        wrong = changed(Description="wrong", Outputs={"No": {"Value": {"Fn::GetAtt": "Topic.No"}}})
        cloudformation = aws.client("cloudformation")
        cloudformation.update_stack(StackName="described-rollback", TemplateBody=json.dumps(wrong))
        with pytest.raises(AssertionError):
            aws.outputs("described-rollback")
        assert aws.status("described-rollback") == "UPDATE_ROLLBACK_COMPLETE"
        assert description_of(aws, "described-rollback") == "first"

    @pytest.mark.parametrize(
        ("name", "template"),
        [
            ("description", changed(Description="second")),
            ("metadata", changed(Metadata={"Owner": "team"})),
            ("conditions", changed(Conditions={"Never": {"Fn::Equals": ["a", "b"]}})),
        ],
    )
    def test_alone(self, aws: Any, name: str, template: Mapping[str, Any]) -> None:
        """What changes neither a resource nor an output is no update, in both ways to update."""
        stack = f"alone-{name}"
        aws.create_stack(stack, TEMPLATE)

        assert change_set(aws, stack, template)["Status"] == "FAILED"
        with pytest.raises(ClientError, match="No updates are to be performed"):
            aws.client("cloudformation").update_stack(
                StackName=stack, TemplateBody=json.dumps(template)
            )


def api(deployment: str, uri: str) -> dict[str, Any]:
    """Return a REST API with a method, whose deployment has this logical id."""
    rest_api = {"Ref": "Api"}
    return {
        "Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "api"}},
            "Method": {
                "Type": "AWS::ApiGateway::Method",
                "Properties": {
                    "RestApiId": rest_api,
                    "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                    "HttpMethod": "GET",
                    "AuthorizationType": "NONE",
                    "Integration": {
                        "Type": "HTTP_PROXY",
                        "IntegrationHttpMethod": "GET",
                        "Uri": uri,
                    },
                },
            },
            deployment: {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": "Method",
                "Properties": {"RestApiId": rest_api},
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": rest_api,
                    "DeploymentId": {"Ref": deployment},
                    "StageName": "live",
                },
            },
        }
    }


def single(resource_type: str, **properties: Any) -> dict[str, Any]:
    """Return a template with one resource."""
    return {"Resources": {"Only": {"Type": resource_type, "Properties": properties}}}


def health_check(**config: Any) -> dict[str, Any]:
    """Return a template with a health check."""
    settings = {"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 80, **config}
    return single("AWS::Route53::HealthCheck", HealthCheckConfig=settings)


def record(name: str) -> dict[str, Any]:
    """Return a template with a zone and a record of this name in it."""
    properties = {
        "HostedZoneId": {"Ref": "Zone"},
        "Name": name,
        "Type": "A",
        "TTL": "60",
        "ResourceRecords": ["192.0.2.1"],
    }
    return {
        "Resources": {
            "Zone": {
                "Type": "AWS::Route53::HostedZone",
                "Properties": {"Name": "replaced.example.com"},
            },
            "Record": {"Type": "AWS::Route53::RecordSet", "Properties": properties},
        }
    }


class TestReplacement:
    """Whether a change set replaces a resource.

    Sources: the schemas that AWS publishes (createOnlyProperties), as cfn-lint installs them;
    CloudFormation API Reference, ResourceChange (Replacement) and ResourceTargetDefinition; Template
    Reference, AWS::Route53::RecordSet (Name: "Update requires: Replacement").
    """

    @pytest.mark.parametrize(
        ("name", "before", "after", "expected"),
        [
            (
                "retention",
                single("AWS::Logs::LogGroup", RetentionInDays=7),
                single("AWS::Logs::LogGroup", RetentionInDays=14),
                {"Only": "False"},
            ),
            (
                "name",
                single("AWS::SNS::Topic", TopicName="replaced-a"),
                single("AWS::SNS::Topic", TopicName="replaced-b"),
                {"Only": "True"},
            ),
            (
                "threshold",
                health_check(FailureThreshold=3),
                health_check(FailureThreshold=5),
                {"Only": "False"},
            ),
            (
                "interval",
                health_check(RequestInterval=30),
                health_check(RequestInterval=10),
                {"Only": "True"},
            ),
            (
                "record",
                record("a.replaced.example.com"),
                record("b.replaced.example.com"),
                {"Record": "True"},
            ),
            (
                "api",
                api("One", "https://a.example.com/"),
                api("Two", "https://b.example.com/"),
                {"Method": "False", "Stage": "False", "Two": None, "One": None},
            ),
        ],
    )
    def test_of_a_property(
        self, aws: Any, name: str, before: Any, after: Any, expected: Mapping[str, str | None]
    ) -> None:
        """A create-only property replaces its resource, and any other does not."""
        stack = f"replacement-{name}"
        aws.create_stack(stack, before)
        changes = [each["ResourceChange"] for each in change_set(aws, stack, after)["Changes"]]
        found = {each["LogicalResourceId"]: each.get("Replacement") for each in changes}
        assert found == expected


CONDITIONAL: dict[str, Any] = {
    "Parameters": {"More": {"Type": "String", "Default": "no"}},
    "Conditions": {"HasMore": {"Fn::Equals": [{"Ref": "More"}, "yes"]}},
    "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Other": {"Type": "AWS::SNS::Topic", "Condition": "HasMore"},
    },
}


class TestConditions:
    """A parameter that turns a condition adds or removes its resources.

    Source: CloudFormation User Guide, "Conditions" ("Resources that are now associated with a false
    condition are deleted").
    """

    @pytest.mark.parametrize(
        ("before", "after", "action"), [("no", "yes", "Add"), ("yes", "no", "Remove")]
    )
    @pytest.mark.parametrize("by_change_set", [False, True])
    def test_turned(
        self, aws: Any, before: str, after: str, action: str, by_change_set: bool
    ) -> None:
        """An update does it, and a change set lists it."""
        stack = f"condition-{before}-{by_change_set}"
        template = {**CONDITIONAL, "Parameters": {"More": {"Type": "String", "Default": before}}}
        aws.create_stack(stack, template)
        cloudformation = aws.client("cloudformation")

        if by_change_set:
            description = change_set(aws, stack, template, More=after)
            changes = [each["ResourceChange"] for each in description["Changes"]]
            listed = [(each["Action"], each["LogicalResourceId"]) for each in changes]
            assert listed == [(action, "Other")]
            executed(aws, stack, description)
        else:
            cloudformation.update_stack(
                StackName=stack,
                UsePreviousTemplate=True,
                Parameters=[{"ParameterKey": "More", "ParameterValue": after}],
            )
            aws.outputs(stack)

        left = cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
        names = {
            each["LogicalResourceId"]
            for each in left
            if each["ResourceStatus"] != "DELETE_COMPLETE"
        }
        assert names == ({"Topic", "Other"} if after == "yes" else {"Topic"})


class TestRetainExceptOnCreate:
    """A resource with this policy outlives its stack, unless its creation is rolled back.

    Source: CloudFormation Template Reference, "DeletionPolicy attribute".
    """

    ZONE: Mapping[str, Any] = {
        "Type": "AWS::Route53::HostedZone",
        "DeletionPolicy": "RetainExceptOnCreate",
        "Properties": {"Name": "kept.example.com"},
    }

    def zones(self, aws: Any) -> list[str]:
        found = aws.client("route53").list_hosted_zones_by_name(DNSName="kept.example.com")
        return [zone["Id"] for zone in found["HostedZones"] if zone["Name"] == "kept.example.com."]

    def test_rolled_back(self, aws: Any) -> None:
        """The zone of a creation that fails is deleted."""
        record = {
            "Type": "AWS::Route53::RecordSet",
            "DependsOn": "Zone",
            "Properties": {
                "HostedZoneId": "ZUNKNOWN",
                "Name": "a.kept.example.com",
                "Type": "A",
                "TTL": "60",
                "ResourceRecords": ["192.0.2.1"],
            },
        }
        with pytest.raises(AssertionError, match="ROLLBACK"):
            aws.create_stack("kept-back", {"Resources": {"Zone": self.ZONE, "Record": record}})
        assert self.zones(aws) == []

    def test_deleted(self, aws: Any) -> None:
        """The zone of a stack that is deleted stays."""
        aws.create_stack("kept-on", {"Resources": {"Zone": self.ZONE}})
        cloudformation = aws.client("cloudformation")
        cloudformation.delete_stack(StackName="kept-on")
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName="kept-on", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        (zone,) = self.zones(aws)
        aws.client("route53").delete_hosted_zone(Id=zone)


@pytest.mark.difference
def test_drift_aware_change_sets_are_refused(aws: Any) -> None:
    """AWS compares the resources themselves with the template (API Reference, CreateChangeSet).

    MiniStack would find nothing to change, whatever somebody has deleted.
    """
    aws.create_stack("drift-aware", TEMPLATE)
    with pytest.raises(ClientError, match="no drift-aware change sets"):
        aws.client("cloudformation").create_change_set(
            StackName="drift-aware",
            ChangeSetName="repair",
            TemplateBody=json.dumps(TEMPLATE),
            DeploymentMode="REVERT_DRIFT",
        )
