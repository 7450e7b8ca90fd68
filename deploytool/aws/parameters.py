"""Parameters of Systems Manager as locks and as drill records.

PutParameter without Overwrite fails when the parameter exists (API reference of PutParameter), so
only one of several callers creates it.
"""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from deploytool.aws.errors import code_of, ignored, translated
from deploytool.aws.sessions import Clients
from deploytool.core.drill.record import DrillRecord, DrillUnderWay, parse_record
from deploytool.core.errors import DeploytoolError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class ParameterLocks:
    """The Locks port on botocore."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, region: str, name: str) -> str | None:
        """GetParameter."""
        with translated(f"reading {name} in {region}"):
            return read_parameter(self._client(region), name)

    def make(self, region: str, name: str, value: str) -> bool:
        """PutParameter without Overwrite."""
        with translated(f"locking {name} in {region}"):
            with ignored("ParameterAlreadyExists"):
                self._client(region).put_parameter(
                    Name=name, Value=value, Type="String", Overwrite=False
                )
                return True
            return False

    def renew(self, region: str, name: str, value: str) -> None:
        """PutParameter with Overwrite."""
        with translated(f"renewing {name} in {region}"):
            self._client(region).put_parameter(
                Name=name, Value=value, Type="String", Overwrite=True
            )

    def remove(self, region: str, name: str) -> None:
        """DeleteParameter."""
        with translated(f"unlocking {name} in {region}"):
            delete_parameter(self._client(region), name)

    def _client(self, region: str) -> "SSMClient":
        return self._clients.get("ssm", region)


class SsmDrillRecords:
    """The DrillRecords port on botocore: the parameter `name` in the secondary region.

    The secondary region answers when the primary does not. The parameter is of the standard tier,
    whose values have at most 4 KB.
    """

    def __init__(self, clients: Clients, region: str, name: str) -> None:
        self._clients = clients
        self._region = region
        self._name = name

    def write(self, record: DrillRecord) -> None:
        """PutParameter without Overwrite, so that of two drills only one starts.

        Raises DrillUnderWay.
        """
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
                self._require_own(record)

    def read(self) -> DrillRecord | None:
        """GetParameter."""
        with translated(f"reading the drill's record {self._name}"):
            text = read_parameter(self._client(), self._name)
        if text is None:
            return None
        return parse_record(text, f"{self._name} in {self._region}")

    def clear(self, drill_id: str) -> None:
        """DeleteParameter, if the record is this drill's."""
        record = self.read()
        if record is None or record.drill_id != drill_id:
            return
        with translated(f"deleting the drill's record {self._name}"):
            delete_parameter(self._client(), self._name)

    def _require_own(self, record: DrillRecord) -> None:
        """Raise DrillUnderWay unless the existing record is the one to write.

        It is when the first answer was lost and botocore repeated the call.
        """
        existing = self.read()
        if existing is None:
            raise DeploytoolError(
                "another drill was under way and has just ended", hint="run the drill again"
            )
        if existing != record:
            raise DrillUnderWay(existing)

    def _client(self) -> "SSMClient":
        return self._clients.get("ssm", self._region)


def read_parameter(client: "SSMClient", name: str) -> str | None:
    """Return the value of a parameter, None when it does not exist."""
    with ignored("ParameterNotFound"):
        return client.get_parameter(Name=name)["Parameter"]["Value"]
    return None


def delete_parameter(client: "SSMClient", name: str) -> None:
    """Delete a parameter unless it does not exist."""
    with ignored("ParameterNotFound"):
        client.delete_parameter(Name=name)
