"""Makes the JSON Schema of a project's deploytool.toml, with the settings of its graph file."""

from pathlib import Path

from deploytool.core.errors import InputError
from deploytool.core.project.configschema import config_schema
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.schemaparts import Schema
from deploytool.core.project.yamltext import comments_of
from deploytool.files.project import load_config
from deploytool.files.text import read_text


def project_schema(config_file: Path) -> Schema:
    """Return the schema. Raises InputError when a file is missing or not valid."""
    config = load_config(config_file)
    graph_file = config_file.parent / config.graph
    text = read_text(graph_file, f"name it with `graph` in {config_file}")
    graph = parse_graph_file(text, config.graph)
    return config_schema(graph.settings, comments_of(text, "settings"), graph.used_settings)


def schema_of(config_file: Path) -> tuple[Schema, str]:
    """Return the schema, and why it does not know the project's settings; empty when it does."""
    try:
        return project_schema(config_file), ""
    except InputError as error:
        return config_schema(), str(error)
