"""Which packages are installed, compared with what deploytool's own metadata requires."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement as Specification

from deploytool.core.doctor.machine import Requirement
from deploytool.core.errors import DeploytoolError

PACKAGE = "deploytool"
SDK = ("boto3", "botocore")


def sdk_requirements() -> list[Requirement]:
    """Return boto3 and botocore. Raises DeploytoolError when deploytool is not installed."""
    return [each for each in _requirements("") if each.name in SDK]


def extra_requirements(extra: str) -> list[Requirement]:
    """Return the packages of an extra. Raises DeploytoolError when deploytool is not installed."""
    return list(_requirements(extra))


def _requirements(extra: str) -> Iterator[Requirement]:
    """Yield what deploytool requires always, or what only an extra requires."""
    try:
        lines = requires(PACKAGE) or []
    except PackageNotFoundError as error:
        raise DeploytoolError(
            "deploytool runs without being installed, so its requirements are not known",
            hint="pip install -e . in its folder",
        ) from error
    for line in lines:
        specification = Specification(line)
        marker = specification.marker
        is_of_extra = marker is not None and marker.evaluate({"extra": extra})
        if (marker is None and not extra) or (extra and is_of_extra):
            yield _compared(specification)


def _compared(specification: Specification) -> Requirement:
    try:
        installed = version(specification.name)
    except PackageNotFoundError:
        installed = ""
    required = str(specification.specifier)
    is_met = bool(installed) and specification.specifier.contains(installed, prereleases=True)
    return Requirement(specification.name, required, installed, is_met)
