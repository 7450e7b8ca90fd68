"""CloudFormation templates as values: their declarations, and the body that is sent.

This is the only module of the core that knows YAML.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from deploytool.core.errors import InputError, InputProblem
from deploytool.core.project.expressions import rename_reference

try:  # several times as fast; PyYAML has it where it was built with libyaml
    from yaml import CSafeLoader as _SafeLoader
except ImportError:
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

BODY_LIMIT = 51_200  # bytes of TemplateBody (CloudFormation quotas)
DESCRIPTION_LIMIT = 1_024  # bytes of a template's Description (the same)
FINGERPRINT = re.compile(r"\[deploytool:([0-9a-f]{16})\]")


@dataclass(frozen=True)
class ParameterSpec:
    """A template's parameter: whether it has a default, and whether its value is a secret."""

    has_default: bool
    no_echo: bool


@dataclass(frozen=True)
class Template:
    """A parsed template.

    `document` is the whole template with short tags (!Ref) in their long form, `resources` maps each
    logical id to its type, and `size` is the size of the file in bytes.
    """

    file: str
    document: Mapping[str, Any]
    parameters: Mapping[str, ParameterSpec]
    outputs: frozenset[str]
    resources: Mapping[str, str]
    size: int


class _Loader(_SafeLoader):
    """YAML as CloudFormation reads it: short tags, dates as text, and no key twice."""


def _tag(loader: _Loader, suffix: str, node: yaml.Node) -> object:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)  # noqa: S101  # for the type checker: there is no fourth kind of node
    return {name: loader.construct_mapping(node, deep=True)}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(
                None, None, f"key '{key}' is listed twice", node.start_mark
            )
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _tag)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_yaml(text: str, file: str) -> Any:  # noqa: ANN401  # a YAML document is any value; callers check its shape
    """Parse YAML (CloudFormation's short tags allowed). Raises InputError that names the line."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader with CloudFormation's tags
    except yaml.YAMLError as error:
        raise InputError(
            [InputProblem(file, "", f"not valid YAML: {' '.join(str(error).split())}")]
        ) from error


def parse_template(text: str, file: str) -> Template:
    """Parse a template. Raises InputError when the text is not a template."""
    document = load_yaml(text, file)
    if (
        not isinstance(document, dict)
        or not isinstance(document.get("Resources"), dict)
        or not document["Resources"]
    ):
        raise InputError(
            [InputProblem(file, "Resources", "not a CloudFormation template: it has no resources")]
        )
    parameters = {
        name: ParameterSpec("Default" in spec, str(spec.get("NoEcho", False)).lower() == "true")
        for name, spec in (document.get("Parameters") or {}).items()
    }
    resources = {name: str(spec.get("Type", "")) for name, spec in document["Resources"].items()}
    return Template(
        file,
        document,
        parameters,
        frozenset(document.get("Outputs") or {}),
        resources,
        len(text.encode()),
    )


def digest(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()
    ).hexdigest()


def without_description(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document without its description, which CloudFormation cannot update alone."""
    return {key: value for key, value in document.items() if key != "Description"}


def rename_resource(document: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return the document with a logical id and every reference to it renamed."""
    renamed: dict[str, Any] = rename_reference(document, old, new)
    resources = renamed["Resources"]
    renamed["Resources"] = {new if name == old else name: spec for name, spec in resources.items()}
    return renamed


def render_body(document: Mapping[str, Any], fingerprint: str, file: str) -> str:
    """Return the body to send: the document with the fingerprint at the end of its description.

    DescribeStacks shows the description. A tag would not do: CloudFormation passes a changed stack
    tag on to every resource, so each update would touch them all. Raises InputError when the body is
    over CloudFormation's limit.
    """
    mark = f" [deploytool:{fingerprint}]"
    description = (
        str(document.get("Description", ""))
        .strip()
        .encode()[: DESCRIPTION_LIMIT - len(mark)]
        .decode(errors="ignore")
    )
    head = {key: value for key, value in document.items() if key == "AWSTemplateFormatVersion"}
    body = yaml.safe_dump(
        {**head, "Description": description + mark, **without_description(document)},
        sort_keys=False,
        width=1000,
    )
    if len(body.encode()) > BODY_LIMIT:
        size = len(body.encode())
        message = f"has {size:,} bytes; CloudFormation takes {BODY_LIMIT:,} at most. Split the stack in two"
        raise InputError([InputProblem(file, "", message)])
    return body


def fingerprint_in(description: str) -> str | None:
    """Return the fingerprint in a deployed stack's description, or None."""
    match = FINGERPRINT.search(description)
    return match.group(1) if match else None
