"""The JSON Schemas accept what the parsers accept, and refuse what a schema can refuse."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from deploytool.core.errors import InputError, InputProblems
from deploytool.core.project import artifactparser, config, drill_settings, graphparser
from deploytool.core.project.config import parse_config
from deploytool.core.project.configschema import config_schema, setting_schema
from deploytool.core.project.graphfile import REGIONAL_SERVICE, SERVICE
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.graphschema import graph_schema
from deploytool.core.project.settings import SettingSpec
from deploytool.core.project.yamltext import comments_of

CONFIG = Draft7Validator(config_schema())
GRAPH = Draft7Validator(graph_schema())

# What the schema of deploytool.toml cannot express, by a text of the message
BEYOND_THE_CONFIG_SCHEMA = [
    "is the domain of stage",  # two stages at one domain
    "is longer than 64 characters",  # the domain of a stage, formed from two names
    "one value for each region",  # the regions of a table are those of `regions`
    "only in upper and lower case",  # of two tags
    "tags; 40 are possible",  # of project and stage together
    "is not the IP address",
    "must be a number of",  # TOML's nan
    "a value may have letters",  # a symbol beyond ASCII
    "a key may have letters",
]
# The same for the graph file
BEYOND_THE_GRAPH_SCHEMA = [
    "is listed twice",
    "is none of",  # a default beside `values`
    "must have at least",
    "it may have",
    "must be true or false",
    "must be a list, like",
    "must be one value",
]

GOOD_CONFIG: dict[str, Any] = {
    "project": "hello",
    "domain": "example.com",
    "regions": ["us-east-1", "us-west-2"],
    "graph": "infra/stacks.yaml",
    "tags": {"team": "orders"},
    "stages": {
        "dev": {"settings": {"zone": "new", "alarms": ["a"], "size": 3, "vpc": True}},
        "prod": {
            "domain": "api.example.com",
            "protected": False,
            "tags": {"class": "critical"},
            "settings": {"arn": {"us-east-1": "a", "us-west-2": "b"}},
        },
    },
    "drill": {
        "rate": 10,
        "resolvers": ["1.1.1.1", "2606:4700::1111"],
        "rto_seconds": 120,
        "failback_seconds": 120.5,
        "failed_share": 0,
        "patience_seconds": 600,
    },
}
GOOD_GRAPH: dict[str, Any] = {
    "settings": {
        "zone": {"default": "new", "values": ["new", "existing"]},
        "id": {"default": "", "lookup": "hosted_zone", "when": {"zone": "existing"}},
        "regions": {"default": [], "min_items": 2, "max_items": 3, "values": ["a", "b", "c"]},
        "arn": {"default": "", "arn_region": "own"},
        "path": "/v1",
        "names": ["a"],
    },
    "artifacts": {
        "code": {
            "source": "../code",
            "bucket": {"output": "bucket.Name"},
            "build": "make",
            "output": "dist",
            "ignore": ["*.md"],
            "runtime": "python3.13",
            "architecture": "arm64",
        }
    },
    "stacks": {
        "bucket": {"template": "bucket.yaml", "scope": "regional"},
        "api": {
            "template": "api.yaml",
            "scope": "global",
            "region": "eu-west-1",
            "when": {"zone": ["new", "existing"]},
            "snapshot": {"resource": "Deployment", "of": ["bucket"]},
            "parameters": {
                "A": "literal",
                "B": {"setting": "regions", "item": 1, "only": "primary"},
                "C": [{"output": "bucket.Name", "region": "primary"}, {"value": 1.5}],
                "D": {"artifact": "code", "part": "key", "when": {"zone": "new"}},
            },
        },
    },
    "service": {"health_check": {"output": "api.Id"}, "function": [{"setting": "path"}]},
}

# What stands in the place of a value. JSON text is YAML, and most of it is TOML too.
VALUES = st.sampled_from(
    [
        "",
        "x",
        "hello-api",
        "-x",
        "Example.com",
        "localhost",
        "a.b",
        "a.b.c",
        "x" * 70 + ".com",
        "us-east-1",
        "us-gov-west-1",
        "../x",
        "/x",
        "a/..",
        "aws:x",
        "Deploytool:x",
        "größe",
        "a,b",
        "1.1.1.1",
        "primary",
        "secondary",
        "global",
        "regional",
        "own",
        "key",
        "new",
        0,
        1,
        2,
        -1,
        0.5,
        99_999,
        True,
        False,
        [],
        ["a"],
        ["a", "a"],
        ["a", "b"],
        [1],
        [["a"]],
        ["us-east-1", "eu-west-1"],
        {},
        {"x": "y"},
        {"default": "x"},
        {"default": ["a"], "min_items": 2},
        {"setting": "zone"},
        {"output": "a.b"},
        {"value": "x", "setting": "y"},
        {"us-east-1": 1, "us-west-2": 2},
    ]
)
NAMES = st.sampled_from(
    ["x", "prod", "dev", "Dev", "project", "domain", "region", "role", "when", "only", "item"]
)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, as its keys from the top."""
    found = [path]
    if isinstance(document, dict):
        for key, value in document.items():
            found += places(value, (*path, key))
    elif isinstance(document, list):
        for number, value in enumerate(document):
            found += places(value, (*path, number))
    return found


@st.composite
def changed(draw: st.DrawFn, document: dict[str, Any]) -> Any:
    """A good document with one to three changes: a value, a new key, or a key less."""
    result = deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(result)))
        value = deepcopy(draw(VALUES))
        if not path:
            result[draw(NAMES)] = value
            continue
        parent = result
        for key in path[:-1]:
            parent = parent[key]
        match draw(st.sampled_from(["value", "add", "remove"])):
            case "value":
                parent[path[-1]] = value
            case "remove":
                del parent[path[-1]]
            case "add" if isinstance(parent[path[-1]], dict):
                parent[path[-1]][draw(NAMES)] = value
    return result


def toml(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {toml(each)}" for key, each in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def config_problems(document: dict[str, Any]) -> list[str]:
    text = "\n".join(f"{json.dumps(key)} = {toml(value)}" for key, value in document.items())
    try:
        parse_config(text, "deploytool.toml")
    except InputError as error:
        return list(map(str, error.problems))
    return []


def graph_problems(document: Any) -> list[str]:
    try:
        parse_graph_file(json.dumps(document), "stacks.yaml")
    except InputError as error:
        return list(map(str, error.problems))
    return []


def agree(validator: Any, document: Any, problems: list[str], beyond: list[str]) -> None:
    """The schema accepts exactly what is parsed, but for what it cannot express."""
    faults = [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(document)]
    if not problems:
        assert faults == [], "a false alarm in the user's editor"
    elif not faults:
        unexpressed = [each for each in problems if not any(text in each for text in beyond)]
        assert unexpressed == [], "the editor should have shown this"


@settings(max_examples=400, deadline=None)
@given(changed(GOOD_CONFIG))
def test_the_schema_of_the_configuration_agrees_with_the_parser(document: Any) -> None:
    """An editor shows a mistake where the command would, and none where it would not."""
    agree(CONFIG, document, config_problems(document), BEYOND_THE_CONFIG_SCHEMA)


@settings(max_examples=600, deadline=None)
@given(changed(GOOD_GRAPH))
def test_the_schema_of_the_graph_agrees_with_the_parser(document: Any) -> None:
    """The same for infra/stacks.yaml."""
    agree(GRAPH, document, graph_problems(document), BEYOND_THE_GRAPH_SCHEMA)


def test_the_good_documents_are_good() -> None:
    """Otherwise the tests above would compare refusals alone."""
    for validator, document, problems in (
        (CONFIG, GOOD_CONFIG, config_problems(GOOD_CONFIG)),
        (GRAPH, GOOD_GRAPH, graph_problems(GOOD_GRAPH)),
    ):
        Draft7Validator.check_schema(validator.schema)
        assert list(validator.iter_errors(document)) == []
        assert problems == []


def keys(schema: dict[str, Any], *path: str) -> set[str]:
    for name in path:
        schema = schema[name]
    return set(schema["properties"])


def test_the_schemas_have_the_keys_that_the_parsers_know() -> None:
    """A key that is added to a parser is missing in no editor."""
    top = config_schema()
    stage = ("properties", "stages", "additionalProperties")
    assert keys(top) == set(config.KEYS)
    assert keys(top, *stage) == set(config.STAGE_KEYS)
    assert keys(top, "properties", "drill") == set(drill_settings.KEYS)

    graph = graph_schema()
    assert keys(graph) == set(graphparser.KEYS)
    assert keys(graph, "properties", "service") == {*SERVICE, *REGIONAL_SERVICE}
    assert keys(graph, "definitions", "stack") == set(graphparser.STACK_KEYS)
    assert keys(graph, "definitions", "artifact") == set(artifactparser.KEYS)
    setting = graph["definitions"]["setting"]["anyOf"][-1]
    assert set(setting["properties"]) == set(graphparser.SETTING_KEYS)


def undescribed(schema: Any, path: str = "") -> list[str]:
    """The properties of a schema without a description, or a reference to one."""
    found = []
    if isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            if isinstance(value, dict) and not {"description", "$ref"} & value.keys():
                found.append(f"{path}.{name}")
        for key, value in schema.items():
            if key not in ("if", "then"):
                found += undescribed(value, f"{path}.{key}")
    elif isinstance(schema, list):
        for value in schema:
            found += undescribed(value, path)
    return found


def test_every_key_is_described() -> None:
    """An editor shows the description of the key under the cursor."""
    assert undescribed(config_schema()) == []
    assert undescribed(graph_schema()) == []


SPECS = [
    SettingSpec("x"),
    SettingSpec(10),
    SettingSpec(True),
    SettingSpec("new", ("new", "old")),
    SettingSpec(10, (10, 30)),
    SettingSpec("10", ("10", "true", True)),
    SettingSpec((), min_items=2, max_items=3),
    SettingSpec((), ("a", "b", "c"), min_items=2),
]
SCALARS = ["x", "new", "", "10", "true", 10, 1, 30, True, False]
LISTS: list[list[str]] = [[], ["a"], ["a", "b"], ["a", "a"], ["a", "b", "c", "d"], ["x", "y"]]


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_a_stage_may_choose_what_the_declaration_allows(spec: SettingSpec) -> None:
    """The schema of a setting accepts a value exactly when the declaration does."""
    validator = Draft7Validator(setting_schema(spec))
    for value in [*SCALARS, *LISTS]:
        problem = spec.problem(tuple(value) if isinstance(value, list) else value)
        assert validator.is_valid(value) is not bool(problem), (value, problem)


def test_settings_are_those_of_the_graph_file() -> None:
    """An unknown setting is refused, and one that a source uses needs no declaration."""
    specs = {"zone": SettingSpec("new", ("new", "old"))}
    schema = config_schema(specs, {"zone": "who answers"}, frozenset({"extra", "region"}))
    validator = Draft7Validator(schema)
    for stage_settings, is_valid in (
        ({"zone": "old", "extra": 1}, True),
        ({"zone": {"us-east-1": "new", "us-west-2": "old"}}, True),
        ({"zone": "other"}, False),
        ({"zonne": "new"}, False),
        ({"region": "us-east-1"}, False),
    ):
        document = {**GOOD_CONFIG, "stages": {"dev": {"settings": stage_settings}}}
        assert validator.is_valid(document) is is_valid, stage_settings


def test_the_comment_of_a_setting_describes_it() -> None:
    """The comment after it counts, else the lines above it."""
    text = (
        "settings:\n"
        "  # Who answers for\n"
        "  # the domain.\n"
        "  zone: {default: new}\n"
        "  path: '/v1 # x'    # what is called\n"
        "  plain: 3\n"
        "  long:  # not this one\n"
        "    default: []\n"
        "stacks: {}  # no setting\n"
    )
    assert comments_of(text, "settings") == {
        "zone": "Who answers for the domain.",
        "path": "what is called",
    }
    assert comments_of("[]", "settings") == {}


def test_a_key_without_a_value_is_no_lookup() -> None:
    """YAML reads `lookup:` as nothing, which was taken for a lookup of the kind None."""
    problems = InputProblems("stacks.yaml")
    graphparser._setting("x", {"default": "", "lookup": None}, problems)
    assert [problem.key for problem in problems.problems] == ["settings.x.lookup"]
