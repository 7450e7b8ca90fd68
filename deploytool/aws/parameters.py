"""A drill's record as an SSM parameter in the secondary region: it is there when the primary is
not.
"""

from typing import Any

from botocore.exceptions import ClientError

from deploytool.aws.errors import code_of, translated
from deploytool.aws.sessions import Clients
from deploytool.core.drill.record import DrillRecord, DrillUnderWay, parse_record
from deploytool.core.errors import DeploytoolError


class SsmDrillRecords:
    """The DrillRecords port on boto3: the parameter `name` in `region`, of the standard tier (at
    most 4 KB).
    """

    def __init__(self, clients: Clients, region: str, name: str) -> None:
        self._clients, self._region, self._name = clients, region, name

    def write(self, record: DrillRecord) -> None:
        """PutParameter without Overwrite, so that of two drills one fails. Raises DrillUnderWay."""
        with translated(f"writing the drill's record {self._name}"):
            try:
                self._client().put_parameter(
                    Name=self._name,
                    Description="What to undo of a deploytool drill under way",
                    Value=record.to_json(),
                    Type="String",
                    Tier="Standard",
                    Overwrite=False,
                )
            except ClientError as error:
                if code_of(error) != "ParameterAlreadyExists":
                    raise
                self._refuse(record)

    def read(self) -> DrillRecord | None:
        """GetParameter."""
        with translated(f"reading the drill's record {self._name}"):
            try:
                found = self._client().get_parameter(Name=self._name)["Parameter"]["Value"]
            except ClientError as error:
                if code_of(error) != "ParameterNotFound":
                    raise
                return None
        return parse_record(found, f"{self._name} in {self._region}")

    def clear(self, drill_id: str) -> None:
        """DeleteParameter, when it is this drill's."""
        found = self.read()
        if found is None or found.drill_id != drill_id:
            return
        with translated(f"deleting the drill's record {self._name}"):
            try:
                self._client().delete_parameter(Name=self._name)
            except ClientError as error:
                if code_of(error) != "ParameterNotFound":
                    raise

    def _refuse(self, record: DrillRecord) -> None:
        """Say whose record is there; when it is this one, the first answer was lost and botocore
        asked again.
        """
        found = self.read()
        if found is None:
            raise DeploytoolError(
                "another drill was under way and has just ended", hint="run the drill again"
            )
        if found != record:
            raise DrillUnderWay(found)

    def _client(self) -> Any:  # noqa: ANN401  # a boto3 client
        return self._clients.get("ssm", self._region)
