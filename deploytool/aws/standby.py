"""What the standby region keeps: the records in Systems Manager, the switch's metric in CloudWatch."""

from typing import TYPE_CHECKING, TypeVar

from deploytool.aws.errors import translated
from deploytool.aws.parameters import delete_parameter, read_parameter
from deploytool.aws.sessions import Clients
from deploytool.core.failover.records import (
    METRIC,
    NAMESPACE,
    PURPOSES,
    LastDrill,
    OutputsRecord,
    ServingRecord,
    StandbyRecord,
    SwitchRecord,
    parameter_name,
    parse,
    to_json,
)

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

T = TypeVar("T", StandbyRecord, SwitchRecord, ServingRecord, LastDrill, OutputsRecord)


class SsmStandbyRecords:
    """The StandbyRecords port on botocore: the parameters of one stage in the standby region."""

    def __init__(self, clients: Clients, region: str, project: str, stage: str) -> None:
        self._clients = clients
        self._region = region
        self._project = project
        self._stage = stage

    def read(self, kind: type[T]) -> T | None:
        """GetParameter."""
        name = parameter_name(self._project, self._stage, kind)
        with translated(f"reading {name} in {self._region}"):
            text = read_parameter(self._client(), name)
        if text is None:
            return None
        return parse(kind, text, f"{name} in {self._region}")

    def write(self, record: StandbyRecord | SwitchRecord | LastDrill | OutputsRecord) -> None:
        """PutParameter with Overwrite.

        A value over 4 KB needs the advanced tier, which Intelligent-Tiering chooses only then (API
        reference of PutParameter).
        """
        name = parameter_name(self._project, self._stage, type(record))
        with translated(f"writing {name} in {self._region}"):
            self._client().put_parameter(
                Name=name,
                Value=to_json(record),
                Type="String",
                Tier="Intelligent-Tiering",
                Overwrite=True,
            )

    def remove_all(self) -> None:
        """DeleteParameter for each record."""
        for kind in PURPOSES:
            name = parameter_name(self._project, self._stage, kind)
            with translated(f"deleting {name} in {self._region}"):
                delete_parameter(self._client(), name)

    def _client(self) -> "SSMClient":
        return self._clients.get("ssm", self._region)


class CloudWatchSwitchMetric:
    """The SwitchMetric port on botocore: the metric of one stage in the standby region."""

    def __init__(self, clients: Clients, region: str, project: str, stage: str) -> None:
        self._clients = clients
        self._region = region
        self._project = project
        self._stage = stage

    def put(self, *, held: bool) -> None:
        """PutMetricData, without a timestamp: CloudWatch uses the time at which it arrives."""
        with translated(f"putting the metric {METRIC} in {self._region}"):
            self._clients.get("cloudwatch", self._region).put_metric_data(
                Namespace=NAMESPACE,
                MetricData=[
                    {
                        "MetricName": METRIC,
                        "Dimensions": [
                            {"Name": "Project", "Value": self._project},
                            {"Name": "Stage", "Value": self._stage},
                        ],
                        "Value": 1.0 if held else 0.0,
                    }
                ],
            )
