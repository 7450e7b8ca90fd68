"""The time that stacks take with AWS-like durations, and the counter of API calls."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.commands.local import typical_durations
from deploytool.core.errors import InputError
from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.durations import Durations
from deploytool.localcloud.ministack.callcounter import operation_of
from deploytool.localcloud.settings import Settings, parse_arguments

REGIONS = ("us-east-1", "us-west-2")
SCALE = 0.02  # a hosted zone takes 0.7 s, a role 0.32 s
MODEL = typical_durations(SCALE, seed=None)
TRUST = {"Version": "2012-10-17", "Statement": []}


def template(name: str, value: str = "first") -> dict[str, Any]:
    return {
        "Resources": {
            "Zone": {
                "Type": "AWS::Route53::HostedZone",
                "Properties": {"Name": f"{name}.example.com"},
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": TRUST,
                    "RoleName": name,
                    "Description": value,
                },
            },
        }
    }


RESOURCES = {"Zone": "AWS::Route53::HostedZone", "Role": "AWS::IAM::Role"}
EAST = REGIONS[0]


@pytest.fixture(scope="module")
def slow(aws: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    settings = Settings(tmp_path_factory.mktemp("slow"), REGIONS, durations=MODEL)
    with lifecycle.private(settings) as state:
        slow = dataclasses.replace(aws, state=state)
        for region in REGIONS:
            # MiniStack loads a service when it is first called, which takes time.
            slow.client("cloudformation", region).list_stacks()
        yield slow


def test_stacks_take_their_sum_side_by_side(slow: Any) -> None:
    """Four stacks in two regions take as long as one, and the API answers meanwhile.

    One stack takes the sum of its resources.
    """
    client = slow.client("cloudformation")
    one_stack = MODEL.stack(RESOURCES, EAST)
    started = time.monotonic()
    names = [f"side-{number}" for number in range(4)]
    for number, name in enumerate(names):
        slow.start_stack(name, template(name), REGIONS[number % 2])

    call_started = time.monotonic()
    [stack] = client.describe_stacks(StackName=names[0])["Stacks"]
    call_seconds = time.monotonic() - call_started
    assert stack["StackStatus"] == "CREATE_IN_PROGRESS"

    for number, name in enumerate(names):
        slow.outputs(name, REGIONS[number % 2])
    seconds = time.monotonic() - started
    assert one_stack <= seconds < 2.5 * one_stack
    assert call_seconds < one_stack


def test_an_update_takes_as_long_as_what_it_changes_and_a_deletion_half(slow: Any) -> None:
    """An unchanged resource takes no time in an update; a deletion takes half of the creation."""
    whole_stack = MODEL.stack(RESOURCES, EAST)
    slow.create_stack("life", template("life"))
    update_started = time.monotonic()
    slow.update_stack("life", template("life", "second"))
    update_seconds = time.monotonic() - update_started
    assert MODEL.creation("AWS::IAM::Role", "Role", EAST) <= update_seconds < whole_stack

    deletion_started = time.monotonic()
    assert slow.delete_stack("life") == "DELETE_COMPLETE"
    assert time.monotonic() - deletion_started >= 0.5 * whole_stack


def test_a_cloud_ends_while_stacks_wait(slow: Any) -> None:
    """A stack that still waits does not keep the cloud from ending.

    Otherwise the end of the fixture would time out.
    """
    slow.start_stack("unfinished", template("unfinished"))


def test_calls_are_counted_by_operation(slow: Any) -> None:
    """The status counts the calls of each operation, for every protocol."""
    operations = ("cloudformation.ListStacks", "ssm.DescribeParameters", "route53.GET")

    def counts() -> list[int]:
        calls = ControlClient(slow.state).status().calls
        return [int(calls.get(operation, 0)) for operation in operations]

    before = counts()
    slow.client("cloudformation").list_stacks()
    slow.client("ssm").describe_parameters()
    slow.client("route53").list_hosted_zones()
    assert counts() == [count + 1 for count in before]


@pytest.mark.parametrize(
    ("headers", "body", "operation"),
    [
        (
            {"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
            b"Version=1&Action=CreateStack",
            "CreateStack",
        ),
        (
            {
                "content-type": "application/x-amz-json-1.1",
                "x-amz-target": "AmazonSSM.GetParameter",
            },
            b"{}",
            "GetParameter",
        ),
        ({"content-type": "application/json"}, b"", "POST"),
    ],
)
def test_operation_of(headers: dict[str, str], body: bytes, operation: str) -> None:
    """The operation is read from the body, a header or the method, as the protocol has it."""
    credential = "Credential=local/20260101/us-east-1/ssm/aws4_request"
    signed = {"authorization": f"AWS4-HMAC-SHA256 {credential}, Signature=0"}
    assert operation_of("POST", {**signed, **headers}, body) == f"ssm.{operation}"
    assert operation_of("POST", headers, body) == f"unsigned.{operation}"


def test_settings(tmp_path: Any) -> None:
    """The durations survive the command line of the cloud's process."""
    for durations in (Durations(), MODEL, typical_durations(0.25, seed=7)):
        settings = Settings(tmp_path, durations=durations)
        assert parse_arguments(settings.to_arguments())[0] == settings


@pytest.mark.parametrize(
    "text", ["{}", "[]", "no JSON", '{"seconds": {"A": -1}, "other": 0, "seed": null}']
)
def test_invalid_durations_are_refused(text: str) -> None:
    """Text that does not describe durations, and negative seconds, are bad input."""
    with pytest.raises(InputError, match="durations"):
        Durations.from_json(text)


@given(seed=st.integers(), logical_id=st.text())
def test_a_seed_varies_each_resource_by_up_to_a_factor_of_two(seed: int, logical_id: str) -> None:
    """The factor depends on seed, region and resource alone, and is from a half to two."""
    durations = Durations({"A": 10.0}, seed=seed)
    seconds = durations.creation("A", logical_id, "us-east-1")
    assert 5.0 <= seconds <= 20.0
    assert seconds == Durations({"A": 10.0}, seed=seed).creation("A", logical_id, "us-east-1")


def test_a_seed_makes_resources_differ() -> None:
    """Two resources, two regions and two seeds take different times."""
    durations = Durations({"A": 10.0}, seed=1)
    east = durations.creation("A", "X", "us-east-1")
    assert east != durations.creation("A", "Y", "us-east-1")
    assert east != durations.creation("A", "X", "us-west-2")
    assert east != Durations({"A": 10.0}, seed=2).creation("A", "X", "us-east-1")
