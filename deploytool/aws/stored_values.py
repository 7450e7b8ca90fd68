"""The values of Parameter Store that templates take as parameters."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients

if TYPE_CHECKING:
    from mypy_boto3_ssm.type_defs import ParameterTypeDef

MOST_NAMES = 10  # of one call (API reference of GetParameters)


class SsmStoredValues:
    """The StoredValues port on botocore."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, region: str, names: Sequence[str]) -> Mapping[str, str]:
        """GetParameters, without decryption: the parameter types take no SecureString."""
        client = self._clients.get("ssm", region)
        values: dict[str, str] = {}
        with translated(f"reading {', '.join(names)} in {region}"):
            for start in range(0, len(names), MOST_NAMES):
                asked = list(names[start : start + MOST_NAMES])
                for parameter in client.get_parameters(Names=asked)["Parameters"]:
                    values.update(_values_by_name(parameter))
        return {name: values[name] for name in names if name in values}


def _values_by_name(parameter: "ParameterTypeDef") -> dict[str, str]:
    """Return a value by each name that it can be asked for: name, name:version, and ARN."""
    value = parameter["Value"]
    name = parameter["Name"] + parameter.get("Selector", "")
    return {name: value, parameter.get("ARN", name): value}
