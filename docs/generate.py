"""Write what the documentation takes from the code: tables between markers, and the JSON Schemas.

    make docs        # or .venv/bin/python docs/generate.py

A table stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->`; the text around it is
written by hand. A test fails when a table or a schema is not as the code is.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deploytool import cli
from deploytool.commands.arguments.local import ACTIONS
from deploytool.core.project.configschema import config_schema
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.graphschema import graph_schema
from deploytool.core.project.settings import text_of
from deploytool.core.project.yamltext import comments_of

ROOT = Path(__file__).resolve().parents[1]
GRAPH = ROOT / "infra/stacks.yaml"
MARKED = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)
# The groups of options that every command has, and those of every command on a stage
SHARED = ("target options", "general options")

Row = tuple[str, ...]
Schema = dict[str, Any]


def outputs() -> dict[Path, str]:
    """Return the text of each file that has generated parts, as it has to be."""
    files = {
        ROOT / "deploytool/schemas/deploytool.schema.json": _json(config_schema()),
        ROOT / "deploytool/schemas/stacks.schema.json": _json(graph_schema()),
        ROOT / "infra/schemas/deploytool.schema.json": _json(_project_schema()),
        ROOT / "infra/schemas/stacks.schema.json": _json(graph_schema()),
    }
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        if MARKED.search(text):
            files[page] = MARKED.sub(_filled, text)
    return files


def stale() -> list[str]:
    """Return the files that are not as the code is."""
    found = []
    for path, text in outputs().items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            found.append(str(path.relative_to(ROOT)))
    return found


def _filled(match: re.Match[str]) -> str:
    begin, name, end = match.groups()
    return f"{begin}\n{TABLES[name]().strip()}\n\n{end}"


def _json(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _project_schema() -> Schema:
    text = GRAPH.read_text(encoding="utf-8")
    graph = parse_graph_file(text, "infra/stacks.yaml")
    return config_schema(graph.settings, comments_of(text, "settings"), graph.used_settings)


def _table(head: Row, rows: Iterator[Row]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


# --- The keys of deploytool.toml


def _config_keys() -> str:
    schema = config_schema()
    return _table(("key", "value", "default", "what"), _keys(schema, ""))


def _drill_keys() -> str:
    schema = config_schema()["properties"]["drill"]
    return _table(("key", "value", "default", "what"), _keys(schema, "drill."))


def _keys(schema: Schema, prefix: str) -> Iterator[Row]:
    """Yield the keys of a table, and those of the tables below it. [drill] has a table of its own."""
    required = schema.get("required", [])
    for name, value in schema["properties"].items():
        key = f"{prefix}{name}"
        default = "(required)" if name in required else _default(value)
        yield f"`{key}`", _kind(value), default, _about(value)
        entry = value.get("additionalProperties")
        if isinstance(entry, dict) and "properties" in entry:
            yield from _keys(entry, f"{key}.NAME.")


def _about(schema: Schema) -> str:
    about = str(schema.get("description", ""))
    if "$ref" in schema and not about:
        about = str(graph_schema()["definitions"][schema["$ref"].rpartition("/")[2]]["description"])
    return about


def _default(schema: Schema) -> str:
    return f"`{json.dumps(schema['default'])}`" if "default" in schema else ""


def _kind(schema: Schema) -> str:
    """Return which values a schema takes, in words."""
    if "$ref" in schema:
        return {"sources": "a source, or a list", "when": "a table", "only": "a text"}[
            schema["$ref"].rpartition("/")[2]
        ]
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"] if value != "")
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "anyOf" in schema and "type" not in schema:
        forms = [_kind(each) for each in schema["anyOf"] if each != {"const": ""}]
        return " or ".join(dict.fromkeys(forms))
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    words = {
        "string": "a text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "array": "a list",
        "object": "a table",
    }
    text = " or ".join(words[kind] for kind in kinds if kind != "null")
    if "maximum" in schema:
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        above = "above " if "exclusiveMinimum" in schema else ""
        text += f", {above}{low} to {schema['maximum']:g}"
    return text


# --- The settings of the shipped graph file


def _settings() -> str:
    text = GRAPH.read_text(encoding="utf-8")
    comments = comments_of(text, "settings")

    def rows() -> Iterator[Row]:
        for name, spec in parse_graph_file(text, "infra/stacks.yaml").settings.items():
            values = ", ".join(f"`{text_of(value)}`" for value in spec.values)
            if isinstance(spec.default, bool):
                values = "`true`, `false`"
            if isinstance(spec.default, tuple):
                values = f"a list of {values or 'texts'}"
            default = list(spec.default) if isinstance(spec.default, tuple) else spec.default
            about = comments.get(name, "")
            about = re.sub(r" ?\(docs/(how-to/[\w-]+)\.md\)", r" ([how](../\1.md))", about)
            yield f"`{name}`", values, f"`{json.dumps(default)}`", about

    return _table(("setting", "values", "default", "what"), rows())


# --- The keys of the graph file


def _graph_keys() -> str:
    return _table(("key", "value", "what"), _without_defaults(graph_schema()))


def _definition(name: str) -> Callable[[], str]:
    def write() -> str:
        schema = graph_schema()["definitions"][name]
        if name == "setting":
            schema = schema["anyOf"][-1]
        return _table(("key", "value", "what"), _without_defaults(schema))

    return write


def _service() -> str:
    schema = graph_schema()["properties"]["service"]
    rows = ((f"`{name}`", _about(value)) for name, value in schema["properties"].items())
    return _table(("name", "what"), rows)


def _sources() -> str:
    def rows() -> Iterator[Row]:
        for form in graph_schema()["definitions"]["source"]["then"]["anyOf"]:
            required = form["required"]
            keys = [name for name in form["properties"] if name not in required]
            form_text = "{" + ", ".join(f"{name}: ..." for name in required) + "}"
            yield f"`{form_text}`", ", ".join(f"`{name}`" for name in keys), _about(form)

    return _table(("source", "may have", "what"), rows())


def _without_defaults(schema: Schema) -> Iterator[Row]:
    required = schema.get("required", [])
    for name, value in schema["properties"].items():
        about = _about(value)
        yield f"`{name}`", _kind(value), f"Required. {about}" if name in required else about


# --- The options of the commands


def _command_options() -> str:
    parts = ["### Every command", _options(_parser("check"), SHARED)]
    for name, (_, summary) in cli.COMMANDS.items():
        table = _options(_parser(name), ())
        if table:
            parts += [f"### {name}", f"{summary[0].upper()}{summary[1:]}.", table]
    return "\n\n".join(parts)


def _local_options() -> str:
    local = _parser("local")
    parts = []
    for name, (_, summary) in ACTIONS.items():
        table = _options(_subparsers(local)[name], ())
        parts += [f"### local {name}", f"{summary[0].upper()}{summary[1:]}."]
        if table:
            parts.append(table)
    return "\n\n".join(parts)


def _parser(name: str) -> argparse.ArgumentParser:
    return _subparsers(cli.build_parser([name]))[name]


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    (action,) = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]  # noqa: SLF001  # argparse has no public name for them
    return dict(action.choices)


def _options(parser: argparse.ArgumentParser, shared: tuple[str, ...]) -> str:
    """Return a table of the options of these groups; without groups those of the command itself."""
    formatter = argparse.HelpFormatter(parser.prog)
    rows = []
    for group in parser._action_groups:  # noqa: SLF001  # as above
        is_shared = group.title in SHARED
        if is_shared is not bool(shared):
            continue
        for action in group._group_actions:  # noqa: SLF001  # as above
            if isinstance(action, argparse._HelpAction):  # noqa: SLF001  # as above
                continue
            rows.append((f"`{_form(action)}`", formatter._expand_help(action)))  # noqa: SLF001  # as above
    return _table(("option", "what"), iter(rows)) if rows else ""


def _form(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if not action.option_strings:
        return value
    option = ", ".join(action.option_strings)
    return option if action.nargs == 0 else f"{option} {value}"


TABLES: dict[str, Callable[[], str]] = {
    "config-keys": _config_keys,
    "drill-keys": _drill_keys,
    "settings": _settings,
    "graph-keys": _graph_keys,
    "graph-settings": _definition("setting"),
    "graph-stacks": _definition("stack"),
    "graph-artifacts": _definition("artifact"),
    "graph-sources": _sources,
    "graph-service": _service,
    "options": _command_options,
    "local-options": _local_options,
}


def main() -> None:
    """Write every file that is not as the code is."""
    for name in stale():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(outputs()[path], encoding="utf-8")
        print(f"{name} is written")  # noqa: T201  # a script


if __name__ == "__main__":
    main()
