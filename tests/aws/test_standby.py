"""The records and the metric of the standby region, against botocore's own model."""

import pytest
from botocore.stub import Stubber

from deploytool.aws.sessions import Clients
from deploytool.aws.standby import CloudWatchSwitchMetric, SsmStandbyRecords
from deploytool.core.failover.records import (
    PURPOSES,
    SCHEMA_VERSION,
    ServingRecord,
    SwitchRecord,
    to_json,
)

SWITCH = SwitchRecord(SCHEMA_VERSION, True, "2026-11-25T12:00:00Z", "ana", "a test", "command")
NAME = "/deploytool/hello/dev/switch"


@pytest.fixture
def service() -> str:
    return "ssm"


@pytest.fixture
def records(clients: Clients) -> SsmStandbyRecords:
    return SsmStandbyRecords(clients, "us-west-2", "hello", "dev")


def test_a_record_that_is_written_is_read_again(stub: Stubber, records: SsmStandbyRecords) -> None:
    """It is written over the one that exists."""
    text = to_json(SWITCH)
    expected = {
        "Name": NAME,
        "Value": text,
        "Type": "String",
        "Tier": "Intelligent-Tiering",
        "Overwrite": True,
    }
    stub.add_response("put_parameter", {"Version": 2}, expected)
    stub.add_response("get_parameter", {"Parameter": {"Value": text}}, {"Name": NAME})
    records.write(SWITCH)
    assert records.read(SwitchRecord) == SWITCH


def test_a_record_that_does_not_exist_is_none(stub: Stubber, records: SsmStandbyRecords) -> None:
    """A stage that was never deployed has none."""
    stub.add_client_error("get_parameter", "ParameterNotFound")
    assert records.read(ServingRecord) is None


def test_all_records_are_removed(stub: Stubber, records: SsmStandbyRecords) -> None:
    """Those that do not exist are no error."""
    for _ in PURPOSES:
        stub.add_client_error("delete_parameter", "ParameterNotFound")
    records.remove_all()


class TestMetric:
    """The metric of the switch."""

    @pytest.fixture
    def service(self) -> str:
        return "cloudwatch"

    @pytest.mark.parametrize(("held", "value"), [(True, 1.0), (False, 0.0)])
    def test_a_point_says_whether_the_switch_is_held(
        self, stub: Stubber, clients: Clients, *, held: bool, value: float
    ) -> None:
        """The dimensions are those of the alarm in infra/switch.yaml."""
        point = {
            "MetricName": "FailoverSwitch",
            "Dimensions": [
                {"Name": "Project", "Value": "hello"},
                {"Name": "Stage", "Value": "dev"},
            ],
            "Value": value,
        }
        stub.add_response("put_metric_data", {}, {"Namespace": "deploytool", "MetricData": [point]})
        CloudWatchSwitchMetric(clients, "us-west-2", "hello", "dev").put(held=held)
