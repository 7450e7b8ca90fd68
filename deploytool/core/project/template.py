"""CloudFormation templates as values: their declarations, and the body that is sent. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.core.errors import InputError, InputProblem
from deploytool.core.project.expressions import rename_reference
from deploytool.core.project.templateshape import shape_problems
from deploytool.core.project.yamltext import dump_yaml, has_aliases, load_yaml
from deploytool.core.transforms import declared_resources

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
    resources: Mapping[str, str]  # logical id -> type, as `declared_resources` has them
    size: int  # of the file, in bytes
    has_aliases: bool = False  # with which the body is larger than the file


def parse_template(text: str, file: str) -> Template:
    """Parse a template. Raises InputError when the text is not a template, with every problem."""
    document = load_yaml(text, file)
    resources = document.get("Resources") if isinstance(document, dict) else None
    if not isinstance(resources, dict) or not resources:
        message = "not a CloudFormation template: it has no resources"
        raise InputError([InputProblem(file, "Resources", message)])

    problems = [InputProblem(file, key, message) for key, message in shape_problems(document)]
    if problems:
        raise InputError(problems)

    parameters: dict[str, ParameterSpec] = {}
    for name, spec in (document.get("Parameters") or {}).items():
        # NoEcho may be a boolean or text, as every value of a template.
        no_echo = str(spec.get("NoEcho", False)).lower() == "true"
        parameters[name] = ParameterSpec("Default" in spec, no_echo)

    # A resource without a type is left to CloudFormation to refuse.
    declared = declared_resources(document)
    types = {name: str(spec.get("Type", "")) for name, spec in declared.items()}
    outputs = frozenset(document.get("Outputs") or {})
    size = len(text.encode())
    return Template(file, document, parameters, outputs, types, size, has_aliases(text))


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

    body = dump_yaml(marked)
    if len(body.encode()) > BODY_LIMIT:
        body = dump_yaml(marked, compact=True)
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
