"""The JSON Schema of deploytool.toml, for editors and for programs. Pure.

It accepts everything that `parse_config` accepts. What it cannot express is listed in
tests/core/project/test_schemas.py.
"""

from collections.abc import Mapping

from deploytool.core.project.config import DEFAULT_GRAPH, PRODUCTION, PROJECT, STAGE
from deploytool.core.project.drill_settings import AFTER_DEPLOY, HIGHEST_RATE, LONGEST
from deploytool.core.project.regions import OTHER_PARTITIONS, REGION
from deploytool.core.project.schemaparts import (
    DRAFT,
    SCALAR,
    TEXTS,
    Schema,
    any_case,
    described,
    entries,
    table,
)
from deploytool.core.project.settings import BUILT_IN, SettingSpec, text_of
from deploytool.core.project.tags import KEY_LENGTH, MOST_TAGS, OWN_PREFIX, VALUE_LENGTH
from deploytool.core.route53.names import DOMAIN_LENGTH, LABEL

# The letters and digits of other languages are allowed in a tag. Of ASCII these are not.
_NOT_IN_TAGS = "[^\\x00-\\x1f\\x7f!\"#$%&'()*,;<>?\\[\\]\\\\^`{|}~]"

REGION_PATTERN = f"^(?!{'|'.join(OTHER_PARTITIONS)}){REGION.pattern}$"

# A setting without a declaration, or of a graph file that is not known
ANY_SETTING: Schema = {"anyOf": [SCALAR, TEXTS, {"type": "object", "additionalProperties": SCALAR}]}


def config_schema(
    settings: Mapping[str, SettingSpec] | None = None,
    descriptions: Mapping[str, str] | None = None,
    used: frozenset[str] = frozenset(),
) -> Schema:
    """Return the schema of deploytool.toml.

    `settings` are those that the graph file declares, `descriptions` what its comments say of them,
    and `used` are those that its sources name. Without `settings` a stage may
    have any.
    """
    properties = {
        "project": _project(),
        "domain": _domain(
            f"A domain that you own. The stage {PRODUCTION} answers at it, every other stage at"
            " STAGE.DOMAIN."
        ),
        "regions": _regions(),
        "graph": {
            "type": "string",
            "description": "The graph file: which stacks there are, and where their parameters"
            " come from. Relative to this file.",
            "minLength": 1,
            "default": DEFAULT_GRAPH,
        },
        "tags": _tags("Tags of every stack, which CloudFormation gives to the resources."),
        "stages": _stages(settings, descriptions or {}, used),
        "drill": _drill(),
    }
    required = ("project", "domain", "regions", "stages")
    return {
        "$schema": DRAFT,
        "title": "deploytool.toml",
        **table(properties, "One API in two AWS regions.", required=required),
    }


def _project() -> Schema:
    return {
        "type": "string",
        "description": "Names the stacks: PROJECT-STAGE-STACK. 2 to 32 lower-case letters, digits"
        " and hyphens, a letter first.",
        "pattern": f"^{PROJECT.pattern}$",
    }


def _domain(description: str) -> Schema:
    label = LABEL.pattern
    return {
        "type": "string",
        "description": f"{description} Lower case, at most {DOMAIN_LENGTH} characters.",
        "maxLength": DOMAIN_LENGTH,
        "pattern": f"^{label}(\\.{label})+$",
    }


def _regions() -> Schema:
    return {
        "type": "array",
        "description": "The two regions, the primary first.",
        "items": {"type": "string", "pattern": REGION_PATTERN},
        "minItems": 2,
        "maxItems": 2,
        "uniqueItems": True,
        "examples": [["us-east-1", "us-west-2"]],
    }


def _tags(description: str) -> Schema:
    reserved = any_case("aws:")
    own = any_case(OWN_PREFIX)
    value = {"type": "string", "pattern": f"^(?!{reserved}){_NOT_IN_TAGS}{{1,{VALUE_LENGTH}}}$"}
    key = {"pattern": f"^(?!{reserved}|{own}){_NOT_IN_TAGS}{{1,{KEY_LENGTH}}}$"}
    schema = entries(value, description)
    return {**schema, "propertyNames": key, "maxProperties": MOST_TAGS}


def _stages(
    settings: Mapping[str, SettingSpec] | None,
    descriptions: Mapping[str, str],
    used: frozenset[str],
) -> Schema:
    stage = table(
        {
            "domain": _domain("The stage's domain, instead of the default."),
            "protected": {
                "type": "boolean",
                "description": "Termination protection of the stacks; drills and failovers ask."
                f" The default is true for {PRODUCTION}, else false.",
            },
            "tags": _tags("Tags of this stage, beside those of the project or in their place."),
            "settings": _settings(settings, descriptions, used),
        },
        "A stage: a deployment of its own, with its own stacks, domain and settings.",
    )
    schema = entries(stage, "The stages, by name: 1 to 16 lower-case letters and digits.")
    return {**schema, "propertyNames": {"pattern": f"^{STAGE.pattern}$"}, "minProperties": 1}


def _settings(
    settings: Mapping[str, SettingSpec] | None,
    descriptions: Mapping[str, str],
    used: frozenset[str],
) -> Schema:
    about = "The settings of this stage. The graph file declares them, with their defaults."
    if settings is None:
        return entries(ANY_SETTING, about)
    properties = {
        name: described(setting_schema(spec), descriptions.get(name, ""))
        for name, spec in settings.items()
    }
    for name in sorted(used - settings.keys() - {*BUILT_IN}):
        properties[name] = ANY_SETTING
    return table(properties, about)


def setting_schema(spec: SettingSpec) -> Schema:
    """Return the schema of a stage's value for a setting."""
    if isinstance(spec.default, tuple):
        return _list_schema(spec, list(spec.default))

    value = SCALAR
    if isinstance(spec.default, bool):
        value = {"type": "boolean"}
    if spec.values:
        value = {**value, "enum": _forms(spec)}

    each = {"type": "object", "additionalProperties": value, "minProperties": 2, "maxProperties": 2}
    return {"anyOf": [value, each], "default": spec.default}


def _forms(spec: SettingSpec) -> list[object]:
    """Return each choice in every form that is taken: values are compared as text."""
    forms: list[object] = []
    for choice in spec.values:
        text = text_of(choice)
        same: list[object] = [choice, text]
        if text in ("true", "false"):
            same.append(text == "true")
        elif text.isdecimal() and text == str(int(text)):
            same.append(int(text))
        for form in same:
            # True equals 1 in Python, and is another value in JSON
            if not any(form == known and type(form) is type(known) for known in forms):
                forms.append(form)
    return forms


def _list_schema(spec: SettingSpec, default: list[str]) -> Schema:
    item: Schema = {"type": "string"}
    if spec.values:
        item["enum"] = [text_of(choice) for choice in spec.values]
    schema: Schema = {"type": "array", "items": item, "uniqueItems": True}
    if spec.max_items is not None:
        schema["maxItems"] = spec.max_items
    if spec.min_items:
        # An empty list is no choice at all, which is allowed
        schema["anyOf"] = [{"maxItems": 0}, {"minItems": spec.min_items}]
    return {**schema, "default": default}


def _drill() -> Schema:
    def seconds(description: str) -> Schema:
        return {
            "type": "number",
            "description": description,
            "exclusiveMinimum": 0,
            "maximum": LONGEST,
        }

    properties: dict[str, Schema] = {
        "rate": {
            "type": "number",
            "description": "Requests a second of each client. The default is 10 on the local cloud"
            " and 1 on AWS.",
            "exclusiveMinimum": 0,
            "maximum": HIGHEST_RATE,
        },
        "resolvers": {
            "type": "array",
            "description": "IP addresses of resolvers that are watched on AWS, in addition to the"
            " system's.",
            "items": {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
            "default": [],
        },
        "rto_seconds": seconds(
            "The objective for the failover of clients. Without one no duration fails a drill."
        ),
        "failback_seconds": seconds("The objective for the failback."),
        "failed_share": {
            "type": "number",
            "description": "The objective for the share of all requests of the drill that may"
            " fail, from 0 to 1.",
            "minimum": 0,
            "maximum": 1,
        },
        "patience_seconds": seconds(
            "How long a drill waits for a movement. The default depends on the settings of the"
            " health check."
        ),
        "after_deploy": {
            "type": "string",
            "description": "The fault that the pipeline injects after each deployment of a stage"
            " that is not protected, or none.",
            "enum": list(AFTER_DEPLOY),
            "default": AFTER_DEPLOY[0],
        },
    }
    return table(properties, "How a drill observes, and what it must reach.")
