"""The JSON Schema of the graph file (infra/stacks.yaml), for editors and for programs. Pure.

It accepts everything that `parse_graph_file` accepts. What it cannot express is listed in
tests/core/project/test_schemas.py.
"""

from deploytool.core.project.configschema import REGION_PATTERN
from deploytool.core.project.graphfile import PARTS, REGIONAL_SERVICE, SCOPES, SERVICE
from deploytool.core.project.graphparser import MOST_ENTRIES
from deploytool.core.project.platform import MACHINES
from deploytool.core.project.schemaparts import (
    DRAFT,
    SCALAR,
    TEXTS,
    Schema,
    described,
    entries,
    table,
)
from deploytool.core.project.settings import BUILT_IN, LOOKUPS

_LITERAL: Schema = {"type": ["string", "number", "boolean"]}
_OUTPUT: Schema = {
    "type": "string",
    "description": "An output of another stack, as STACK.OUTPUT.",
    "pattern": "^[^.]*\\.[^.]*$",
}
_OF_REGION: Schema = {
    "type": "string",
    "description": "The region of that stack: primary, secondary, or a region's name. Without it"
    " the region of the stack that takes the output.",
}
_NUMBER: Schema = {"type": ["integer", "null"], "minimum": 1}

_SERVICE = {
    "hosted_zone": "The id of the hosted zone in which the domain is.",
    "health_check": "The health check of the primary's endpoint.",
    "failover_check": "The calculated health check that the primary's record names.",
    "switch_check": "The health check of the switch.",
    "guard_function": "The function that undoes a drill whose process has died.",
    "guard_role": "The role with which the scheduler calls that function.",
    "guard_schedules": "The group of its schedules.",
    "function": "The function behind the API, of each region.",
    "rest_api": "The REST API of each region.",
    "http_api": "The HTTP API of each region.",
    "target": "What each region's record of the domain points to.",
}


def graph_schema() -> Schema:
    """Return the schema of the graph file."""
    properties = {
        "settings": {
            **entries(
                {"$ref": "#/definitions/setting"},
                "The settings of a stage and their defaults.",
                nullable=True,
            ),
            "propertyNames": {"not": {"enum": list(BUILT_IN)}},
            "maxProperties": MOST_ENTRIES,
        },
        "artifacts": {
            **entries(
                {"$ref": "#/definitions/artifact"},
                "Folders that are packaged and stored in a bucket of each region.",
                nullable=True,
            ),
            "maxProperties": MOST_ENTRIES,
        },
        "stacks": {
            **entries({"$ref": "#/definitions/stack"}, "The stacks, in any order."),
            "minProperties": 1,
            "maxProperties": MOST_ENTRIES,
        },
        "service": table(
            {
                name: described({"$ref": "#/definitions/sources"}, _SERVICE[name])
                for name in (*SERVICE, *REGIONAL_SERVICE)
            },
            "What a check and a drill need to know about a deployment.",
            nullable=True,
        ),
    }
    about = (
        "Which CloudFormation stacks a stage has, and where each of their parameters comes from."
    )
    return {
        "$schema": DRAFT,
        "title": "deploytool's graph of stacks",
        **table(properties, about, required=("stacks",)),
        "definitions": {
            "when": _when(),
            "only": {
                "enum": ["", "primary", "secondary"],
                "description": "The source is for the stack of this role alone.",
            },
            "setting": _setting(),
            "artifact": _artifact(),
            "stack": _stack(),
            "source": _source(),
            "sources": _sources(),
        },
    }


def _when() -> Schema:
    values = {"type": "array", "items": SCALAR, "minItems": 1}
    about = "Only for a stage with these settings, each with this value or one of several."
    return entries({"anyOf": [SCALAR, values]}, about, nullable=True)


def _setting() -> Schema:
    value: Schema = {"anyOf": [SCALAR, TEXTS]}
    keys: dict[str, Schema] = {
        "default": described(value, "The value of a stage that does not set it."),
        "values": {
            "type": "array",
            "items": SCALAR,
            "description": "The values that a stage chooses from; of a list, its items.",
        },
        "lookup": {
            "enum": ["", *LOOKUPS],
            "description": "Read from AWS where a stage leaves it empty and `when` is true.",
        },
        "when": {"$ref": "#/definitions/when"},
        "min_items": described(_NUMBER, "Of a list that is not empty."),
        "max_items": described(_NUMBER, "Of a list."),
        "arn_region": {
            "enum": ["", "primary", "secondary", "own"],
            "description": "The value is an ARN of this region; `own` is that of each stack.",
        },
    }
    about = "A setting: its default alone, or a mapping with it."
    return {"description": about, "anyOf": [SCALAR, TEXTS, table(keys)]}


def _artifact() -> Schema:
    keys: dict[str, Schema] = {
        "source": {"type": "string", "description": "The folder, relative to this file."},
        "bucket": {
            **table(
                {
                    "output": _OUTPUT,
                    "region": _OF_REGION,
                    "only": {"$ref": "#/definitions/only"},
                    "when": {"$ref": "#/definitions/when"},
                },
                "The output of a regional stack that names the bucket.",
                required=("output",),
            ),
            "examples": [{"output": "code-bucket.BucketName"}],
        },
        "build": {
            "description": "A command that runs before the folder is packaged, or false. The"
            " default is a recipe for requirements.txt or package-lock.json.",
            "anyOf": [{"type": "string"}, {"const": False}],
        },
        "output": {
            "type": "string",
            "description": "The folder, below `source`, that the command fills and that is"
            " packaged. The default is all of it.",
            "pattern": "^(?!/)(?!(.*/)?\\.\\.(/|$))",
        },
        "ignore": described(TEXTS, "Patterns of files and folders to leave out."),
        "runtime": {
            "type": "string",
            "description": "The function's runtime, where its template does not have a plain"
            " value.",
            "examples": ["python3.13", "nodejs22.x"],
        },
        "architecture": {
            "enum": ["", *MACHINES],
            "description": "The function's architecture, where its template does not have a"
            " plain value.",
        },
    }
    # A folder that nothing fills would be empty
    filled = {
        "if": {
            "properties": {"output": {"type": "string", "minLength": 1}},
            "required": ["output"],
        },
        "then": {
            "properties": {"build": {"type": "string", "minLength": 1}},
            "required": ["build"],
        },
    }
    return {**table(keys, "A folder to package.", required=("source", "bucket")), **filled}


def _stack() -> Schema:
    keys: dict[str, Schema] = {
        "template": {
            "type": "string",
            "description": "The CloudFormation template, relative to this file.",
        },
        "scope": {
            "enum": list(SCOPES),
            "description": "regional: a stack in each region; global: one, in the primary region or"
            " in `region`; secondary: one, in the secondary region.",
        },
        "region": {
            "description": "The region of a global stack that is not in the primary region.",
            "anyOf": [{"const": ""}, {"type": "string", "pattern": REGION_PATTERN}],
        },
        "when": {"$ref": "#/definitions/when"},
        "parameters": entries(
            {"$ref": "#/definitions/sources"},
            "Where each parameter of the template comes from. One that has no default must be"
            " listed.",
            nullable=True,
        ),
        "snapshot": _snapshot(),
    }
    named = {
        "if": {
            "properties": {"region": {"type": "string", "minLength": 1}},
            "required": ["region"],
        },
        "then": {"properties": {"scope": {"const": "global"}}},
    }
    return {**table(keys, "A stack.", required=("template", "scope")), **named}


def _snapshot() -> Schema:
    schema = table(
        {
            "resource": {"type": "string", "description": "The logical id of the resource."},
            "of": {**TEXTS, "minItems": 1, "description": "The stacks that it contains."},
        },
        "A resource that is replaced whenever one of these stacks changes.",
        nullable=True,
    )
    # Empty is none
    return {**schema, "anyOf": [{"maxProperties": 0}, {"required": ["resource", "of"]}]}


def _source() -> Schema:
    where: dict[str, Schema] = {
        "only": {"$ref": "#/definitions/only"},
        "when": {"$ref": "#/definitions/when"},
    }
    forms = [
        table(
            {"value": described(_LITERAL, "The value itself."), **where},
            "A literal.",
            required=("value",),
        ),
        table(
            {
                "setting": {
                    "type": "string",
                    "description": "A setting of `settings`, or a built-in one:"
                    f" {', '.join(BUILT_IN)}.",
                },
                "item": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "The number of an item of a list, from 1 on.",
                },
                **where,
            },
            "A setting.",
            required=("setting",),
        ),
        table(
            {"output": _OUTPUT, "region": _OF_REGION, **where},
            "An output of another stack.",
            required=("output",),
        ),
        table(
            {
                "artifact": {"type": "string", "description": "A name below `artifacts`."},
                "part": {
                    "enum": list(PARTS),
                    "description": "Its key in the bucket, its version, or the bucket's name.",
                },
                **where,
            },
            "A part of a packaged folder.",
            required=("artifact", "part"),
        ),
    ]
    return {
        "description": "A source of a value: a literal, {setting: NAME}, {output: STACK.OUTPUT} or"
        " {artifact: NAME, part: key}.",
        # An editor then complains of a wrong mapping as of one, and not as of no text
        "if": {"type": "object"},
        "then": {"anyOf": forms},
        "else": _LITERAL,
    }


def _sources() -> Schema:
    source = {"$ref": "#/definitions/source"}
    about = "A source, or a list of them: the first whose conditions are true counts."
    several = {"type": "array", "items": source, "minItems": 1}
    return {"description": about, "if": {"type": "array"}, "then": several, "else": source}
