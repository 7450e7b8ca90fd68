"""Parses an artifact of the graph file: its folder, and how it is built. Pure."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from deploytool.core.errors import InputProblems
from deploytool.core.project.graphfile import ArtifactSpec, OutputSource
from deploytool.core.project.platform import MACHINES

KEYS = ["source", "bucket", "build", "output", "ignore", "runtime", "architecture"]


def parse_artifact(
    name: str, table: Mapping[str, Any], bucket: OutputSource, problems: InputProblems
) -> ArtifactSpec:
    """Parse an entry below `artifacts`; the bucket is parsed already."""
    key = f"artifacts.{name}"
    problems.unknown_keys(key, table, KEYS)

    source = table.get("source")
    if not isinstance(source, str):
        problems.add(
            f"{key}.source", "is missing; name the folder to package, relative to this file"
        )

    output = _text(table, "output", key, problems)
    parts = PurePosixPath(output).parts
    if ".." in parts or output.startswith("/"):
        problems.add(f"{key}.output", "must be a folder below the artifact's own, like dist")
    if output and not table.get("build"):
        problems.add(f"{key}.output", "needs a command that fills it; add `build: COMMAND`")

    architecture = _text(table, "architecture", key, problems)
    if architecture and architecture not in MACHINES:
        problems.add(f"{key}.architecture", f"must be one of {', '.join(MACHINES)}")

    return ArtifactSpec(
        name,
        str(source),
        bucket,
        build=_build(table, key, problems),
        output=output,
        ignore=_patterns(table, key, problems),
        runtime=_text(table, "runtime", key, problems),
        architecture=architecture,
    )


def _build(table: Mapping[str, Any], key: str, problems: InputProblems) -> str | None:
    match table.get("build", ""):
        case False:
            return None
        case str(command):
            return command
    problems.add(
        f"{key}.build",
        "must be a command, like `npm ci && npm run build`, or false to package the folder as it is",
    )
    return None


def _text(table: Mapping[str, Any], name: str, key: str, problems: InputProblems) -> str:
    value = table.get(name, "")
    if isinstance(value, str):
        return value
    problems.add(f"{key}.{name}", "must be a text")
    return ""


def _patterns(table: Mapping[str, Any], key: str, problems: InputProblems) -> tuple[str, ...]:
    patterns = table.get("ignore", [])
    if isinstance(patterns, list) and all(isinstance(pattern, str) for pattern in patterns):
        return tuple(patterns)
    problems.add(f"{key}.ignore", 'must be a list of patterns, like [tests, "*.md"]')
    return ()
