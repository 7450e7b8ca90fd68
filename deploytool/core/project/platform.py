"""The platform of a function: its runtime and architecture, as the templates have them. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.core.project.graphfile import (
    Alternatives,
    ArtifactSource,
    GraphFile,
    LiteralSource,
    StackSpec,
)
from deploytool.core.project.template import Template

FUNCTION = "AWS::Lambda::Function"
SAM_FUNCTION = "AWS::Serverless::Function"
DEFAULT_ARCHITECTURE = "x86_64"  # of a function that names none (CreateFunction, Architectures)
PYTHON = re.compile(r"python(\d+)\.(\d+)")

# Architectures as wheels and processors have them, and as npm does.
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
NPM_CPUS = {"arm64": "arm64", "x86_64": "x64"}


@dataclass(frozen=True, order=True)
class Platform:
    """What code is built for. In a local cloud functions run on this machine."""

    runtime: str  # like python3.13
    architecture: str  # arm64 or x86_64
    local: bool = False

    @property
    def python(self) -> tuple[int, int] | None:
        """The version of Python, None for another runtime."""
        match = PYTHON.fullmatch(self.runtime)
        if match is None:
            return None
        return int(match[1]), int(match[2])

    @property
    def glibc(self) -> int:
        """The minor version of the C library, 2.x.

        Python 3.12 and newer run on Amazon Linux 2023, whose glibc is 2.34, and older ones on
        Amazon Linux 2, whose glibc is 2.26 (Lambda Developer Guide, "Lambda runtimes").
        """
        is_newer = self.python is not None and self.python >= (3, 12)
        return 34 if is_newer else 26

    def __str__(self) -> str:
        if self.local:
            return f"{self.runtime} on this machine"
        return f"{self.runtime} on {self.architecture}"


def platforms_of(
    artifact: str, file: GraphFile, templates: Mapping[str, Template]
) -> set[Platform]:
    """Return the platforms of the functions that take an artifact as their code.

    A runtime or an architecture that no template and no default says is empty.
    """
    platforms: set[Platform] = set()
    for spec in file.stacks.values():
        template = templates.get(spec.template)
        if template is None:
            continue
        keys = _parameters_with_key(artifact, spec)
        for resource in template.document["Resources"].values():
            properties = _function_properties(resource, template)
            if _code_key(properties) in keys:
                platforms.add(_platform(properties, spec, template))
    return platforms


def _parameters_with_key(artifact: str, spec: StackSpec) -> set[str]:
    """Return the parameters of a stack that take the key of an artifact."""
    names: set[str] = set()
    for name, alternatives in spec.parameters.items():
        sources = [alternative.source for alternative in alternatives]
        if ArtifactSource(artifact, "key") in sources:
            names.add(name)
    return names


def _function_properties(resource: object, template: Template) -> Mapping[str, Any]:
    """Return the properties of a function, with those of SAM that are for every function."""
    match resource:
        case {"Type": str(kind), "Properties": dict(properties)} if kind == FUNCTION:
            return properties
        case {"Type": str(kind), "Properties": dict(properties)} if kind == SAM_FUNCTION:
            shared = (template.document.get("Globals") or {}).get("Function") or {}
            return {**shared, **properties}
    return {}


def _code_key(properties: Mapping[str, Any]) -> str:
    """Return the parameter that names the zip of a function, empty when there is none."""
    match properties:
        case {"Code": {"S3Key": {"Ref": str(parameter)}}}:
            return parameter
        case {"CodeUri": {"Key": {"Ref": str(parameter)}}}:
            return parameter
    return ""


def _platform(properties: Mapping[str, Any], spec: StackSpec, template: Template) -> Platform:
    architectures = properties.get("Architectures", [DEFAULT_ARCHITECTURE])
    if isinstance(architectures, list) and len(architectures) == 1:
        [architectures] = architectures
    return Platform(
        _text(properties.get("Runtime"), spec, template),
        _text(architectures, spec, template),
    )


def _text(value: object, spec: StackSpec, template: Template) -> str:
    """Return a text, or that of the parameter to which the value refers; empty when unknown."""
    match value:
        case str():
            return value
        case {"Ref": str(parameter)} if parameter in template.parameters:
            return _parameter_value(spec.parameters.get(parameter, ()), parameter, template)
    return ""


def _parameter_value(alternatives: Alternatives, parameter: str, template: Template) -> str:
    """Return a parameter's value if it is written down, and so the same in every stage."""
    match [alternative.source for alternative in alternatives]:
        case []:
            return str(template.document["Parameters"][parameter].get("Default", ""))
        case [LiteralSource(value)]:
            return value
    return ""


def one_platform(platforms: Iterable[Platform], runtime: str, architecture: str) -> Platform | None:
    """Return the platform with what the artifact itself names, None when there are several."""
    named = {
        Platform(runtime or platform.runtime, architecture or platform.architecture)
        for platform in platforms
    }
    if not named:
        return Platform(runtime, architecture)
    if len(named) > 1:
        return None
    [platform] = named
    return platform
