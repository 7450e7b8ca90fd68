r"""Parts of the JSON Schemas of deploytool.toml and of the graph file. Pure.

The schemas are for editors, so they are of draft 7: the language servers of YAML and TOML take
nothing newer. Their patterns must mean the same to Python and to JavaScript: no `\w`, no `\d`.
"""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"

# A value of a setting or a condition that is no list
SCALAR: Schema = {"type": ["string", "integer", "boolean"]}
TEXTS: Schema = {"type": "array", "items": {"type": "string"}}


def table(
    properties: Mapping[str, Schema],
    description: str = "",
    *,
    required: tuple[str, ...] = (),
    nullable: bool = False,
) -> Schema:
    """Return the schema of a mapping that has these keys and no other.

    With `nullable` it may be missing although its key is there: YAML has None for such a key.
    """
    schema: Schema = {"type": ["object", "null"] if nullable else "object"}
    if description:
        schema["description"] = description
    schema["properties"] = dict(properties)
    schema["additionalProperties"] = False
    if required:
        schema["required"] = list(required)
    return schema


def described(schema: Schema, description: str) -> Schema:
    """Return a schema with a description before everything else."""
    return {"description": description, **schema} if description else schema


def entries(schema: Schema, description: str, *, nullable: bool = False) -> Schema:
    """Return the schema of a mapping of entries that the user names."""
    return {
        "type": ["object", "null"] if nullable else "object",
        "description": description,
        "additionalProperties": schema,
    }


def any_case(text: str) -> str:
    """Return a pattern for a text in upper and lower case: patterns have no flags."""
    return "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else char for char in text)
