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

# The loader in C is several times as fast. PyYAML has it where it was built with libyaml.
try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

BODY_LIMIT = 51_200  # bytes of TemplateBody (CloudFormation quotas)
DESCRIPTION_LIMIT = 1_024  # bytes of a template's Description (the same)
# 16 hexadecimal digits; `core.stacks.plan` computes them.
FINGERPRINT = re.compile(r"\[deploytool:([0-9a-f]{16})\]")


@dataclass(frozen=True)
class ParameterSpec:
    """A template's parameter: whether it has a default, and whether its value is a secret."""

    has_default: bool
    no_echo: bool


@dataclass(frozen=True)
class Template:
    """A parsed template."""

    file: str  # as the graph file names it, for messages
    document: Mapping[str, Any]  # the whole template, short tags (!Ref) in their long form
    parameters: Mapping[str, ParameterSpec]
    outputs: frozenset[str]
    resources: Mapping[str, str]  # logical id -> type
    size: int  # of the file, in bytes


class _Loader(_SafeLoader):
    """YAML as CloudFormation reads it: short tags, dates as text, and no key twice."""


def _tag(loader: _Loader, suffix: str, node: yaml.Node) -> object:
    """Return the long form of a short tag: `!Sub x` becomes {"Fn::Sub": "x"}."""
    # These two have no prefix in their long form.
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"

    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            # `!GetAtt Resource.Attribute`: the attribute may contain dots.
            value = value.split(".", 1)
        return {name: value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)  # noqa: S101  # for the type checker: there is no fourth kind of node
    return {name: loader.construct_mapping(node, deep=True)}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    """Return a mapping. Raises ConstructorError for a repeated key: PyYAML would keep the last."""
    keys: list[object] = []
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in keys:
            message = f"key '{key}' is listed twice"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        keys.append(key)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _tag)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)

# Dates stay text, like the version of a policy (2012-10-17). The resolvers are the patterns that give
# a scalar another type than text, by its first character. PyYAML's own dictionary is not changed.
_Loader.yaml_implicit_resolvers = {}
for _first, _resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items():
    _Loader.yaml_implicit_resolvers[_first] = [
        resolver for resolver in _resolvers if resolver[0] != "tag:yaml.org,2002:timestamp"
    ]


def load_yaml(text: str, file: str) -> Any:  # noqa: ANN401  # a YAML document is any value; callers check its shape
    """Parse YAML (CloudFormation's short tags allowed). Raises InputError that names the line."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader with CloudFormation's tags
    except yaml.YAMLError as error:
        # PyYAML writes the position on a line of its own.
        message = " ".join(str(error).split())
        raise InputError([InputProblem(file, "", f"not valid YAML: {message}")]) from error


def parse_template(text: str, file: str) -> Template:
    """Parse a template. Raises InputError when the text is not a template."""
    document = load_yaml(text, file)
    resources = document.get("Resources") if isinstance(document, dict) else None
    if not isinstance(resources, dict) or not resources:
        message = "not a CloudFormation template: it has no resources"
        raise InputError([InputProblem(file, "Resources", message)])

    parameters: dict[str, ParameterSpec] = {}
    for name, spec in (document.get("Parameters") or {}).items():
        # NoEcho may be a boolean or text, as every value of a template.
        no_echo = str(spec.get("NoEcho", False)).lower() == "true"
        parameters[name] = ParameterSpec("Default" in spec, no_echo)

    # A resource without a type is left to CloudFormation to refuse.
    types = {name: str(spec.get("Type", "")) for name, spec in resources.items()}
    outputs = frozenset(document.get("Outputs") or {})
    return Template(file, document, parameters, outputs, types, len(text.encode()))


def digest(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON, in hexadecimal."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def without_description(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document without its description, which CloudFormation cannot update alone."""
    rest = dict(document)
    rest.pop("Description", None)
    return rest


def rename_resource(document: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return the document with a logical id and every reference to it renamed."""
    renamed: dict[str, Any] = rename_reference(document, old, new)
    # The resource keeps its place among the others.
    resources: dict[str, Any] = {}
    for name, spec in renamed["Resources"].items():
        resources[new if name == old else name] = spec
    renamed["Resources"] = resources
    return renamed


def render_body(document: Mapping[str, Any], fingerprint: str, file: str) -> str:
    """Return the body to send: the document with the fingerprint at the end of its description.

    DescribeStacks shows the description. A tag would not do: CloudFormation passes a changed stack
    tag on to every resource, so each update would touch them all. Raises InputError when the body
    is over CloudFormation's limit.
    """
    mark = f" [deploytool:{fingerprint}]"
    # Cut to make room for the mark. The limit counts bytes, so the cut may split a character, whose
    # first bytes are dropped too.
    room = DESCRIPTION_LIMIT - len(mark)
    description = str(document.get("Description", "")).strip()
    description = description.encode()[:room].decode(errors="ignore")

    # The order in which templates are written: version, description, the rest.
    marked: dict[str, Any] = {}
    if "AWSTemplateFormatVersion" in document:
        marked["AWSTemplateFormatVersion"] = document["AWSTemplateFormatVersion"]
    marked["Description"] = description + mark
    marked.update(without_description(document))

    # In wide lines: each line that is broken costs bytes for its indentation.
    body = yaml.safe_dump(marked, sort_keys=False, width=1000)
    size = len(body.encode())
    if size > BODY_LIMIT:
        message = (
            f"has {size:,} bytes; CloudFormation takes {BODY_LIMIT:,} at most."
            " Split the stack in two"
        )
        raise InputError([InputProblem(file, "", message)])
    return body


def fingerprint_in(description: str) -> str | None:
    """Return the fingerprint in a deployed stack's description, or None."""
    match = FINGERPRINT.search(description)
    if match is None:
        return None
    return match.group(1)
