"""Locks as parameters of Systems Manager: one that exists is not made again (API reference of
PutParameter, Overwrite).
"""

from typing import Any

from botocore.exceptions import ClientError

from deploytool.aws.errors import code_of, translated
from deploytool.aws.sessions import Clients


class ParameterLocks:
    """The Locks port on boto3."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, region: str, name: str) -> str | None:
        """GetParameter."""
        with translated(f"reading {name} in {region}"):
            try:
                return str(self._client(region).get_parameter(Name=name)["Parameter"]["Value"])
            except ClientError as error:
                if code_of(error) == "ParameterNotFound":
                    return None
                raise

    def make(self, region: str, name: str, value: str) -> bool:
        """PutParameter without Overwrite."""
        with translated(f"locking {name} in {region}"):
            try:
                self._client(region).put_parameter(
                    Name=name, Value=value, Type="String", Overwrite=False
                )
            except ClientError as error:
                if code_of(error) == "ParameterAlreadyExists":
                    return False
                raise
            return True

    def renew(self, region: str, name: str, value: str) -> None:
        """PutParameter with Overwrite."""
        with translated(f"renewing {name} in {region}"):
            self._client(region).put_parameter(
                Name=name, Value=value, Type="String", Overwrite=True
            )

    def remove(self, region: str, name: str) -> None:
        """DeleteParameter."""
        with translated(f"unlocking {name} in {region}"):
            try:
                self._client(region).delete_parameter(Name=name)
            except ClientError as error:
                if code_of(error) != "ParameterNotFound":
                    raise

    def _client(self, region: str) -> Any:  # noqa: ANN401  # a boto3 client
        return self._clients.get("ssm", region)
