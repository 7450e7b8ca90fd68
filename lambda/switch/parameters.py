"""A stage's records as parameters of Systems Manager, each replaced only in the version that was read.

Systems Manager has no conditional write. A write returns the version that it made, though, and each
version stays readable (API reference of PutParameter; Systems Manager User Guide, "Working with
parameter versions"). So a write that has come after somebody else's is noticed, and taken back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Record = TypeVar("Record")


@dataclass(frozen=True)
class Found:
    """The text of a parameter, and its version."""

    text: str
    version: int


class Parameters:
    """The parameters of one stage. `prefix` ends in a slash: /deploytool/PROJECT/STAGE/."""

    def __init__(self, ssm: Any, prefix: str) -> None:  # noqa: ANN401  # boto3 has no types at run time
        self._ssm = ssm
        self._prefix = prefix

    def find(self, name: str) -> Found | None:
        """Return a parameter, None when there is none."""
        try:
            parameter = self._ssm.get_parameter(Name=self._prefix + name)["Parameter"]
        except self._ssm.exceptions.ParameterNotFound:
            return None
        return Found(parameter["Value"], parameter["Version"])

    def read(self, name: str) -> str | None:
        """Return the text of a parameter, None when there is none."""
        found = self.find(name)
        return found.text if found else None

    def read_as(self, name: str, parse: Callable[[str], Record]) -> Record | None:
        """Return a record, None when there is none. Raises what `parse` raises."""
        text = self.read(name)
        return None if text is None else parse(text)

    def write(self, name: str, text: str) -> None:
        """Write a parameter over the one that exists."""
        self._put(name, text)

    def replace(self, name: str, found: Found | None, text: str) -> bool:
        """Write a parameter unless somebody has written it since it was found.

        Returns whether it was written. A text that somebody wrote in the meantime is there
        afterwards: it was overwritten for a moment at most.
        """
        if found is None:
            return self._create(name, text)

        version = self._put(name, text)
        # When an answer was lost, botocore has repeated the write: then our text is there twice.
        for earlier in range(version - 1, found.version, -1):
            parameter = self._ssm.get_parameter(Name=f"{self._prefix}{name}:{earlier}")
            overwritten = parameter["Parameter"]["Value"]
            if overwritten != text:
                self._put(name, overwritten)
                return False
        return True

    def _create(self, name: str, text: str) -> bool:
        try:
            self._ssm.put_parameter(
                Name=self._prefix + name, Value=text, Type="String", Overwrite=False
            )
        except self._ssm.exceptions.ParameterAlreadyExists:
            # It is our own when the first answer was lost and botocore has repeated the write.
            return self.read(name) == text
        return True

    def _put(self, name: str, text: str) -> int:
        answer = self._ssm.put_parameter(
            Name=self._prefix + name, Value=text, Type="String", Overwrite=True
        )
        return int(answer["Version"])
