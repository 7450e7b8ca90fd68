"""Reads a project from disk: deploytool.toml, the graph file, the templates and the folders to
package.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploytool.core.errors import InputError, InputProblem
from deploytool.core.project.bootstrap import TEMPLATE as BOOTSTRAP_TEMPLATE
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import Config, Setting, parse_config
from deploytool.core.project.graph import Graph
from deploytool.core.project.graphfile import GraphFile, parse_graph_file
from deploytool.core.project.package import Package, build_package
from deploytool.core.project.settings import needed_lookups
from deploytool.core.project.template import Template, parse_template

IGNORED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".DS_Store"}


@dataclass(frozen=True)
class Project:
    """Everything that was read. `root` is the folder of deploytool.toml."""

    root: Path
    config: Config
    graph_file: GraphFile
    templates: Mapping[str, Template]
    packages: Mapping[str, Package]

    def graph(self, stage: str | None, looked_up: Mapping[str, Setting] | None = None) -> Graph:
        """The graph of a stage (of the only one when None), `looked_up` for its `lookups`. Raises
        InputError with every problem.
        """
        return build_graph(
            self.config,
            self.config.stage(stage),
            self.graph_file,
            self.templates,
            self.packages,
            looked_up,
        )

    def lookups(self, stage: str | None) -> Mapping[str, str]:
        """The settings of a stage that must be looked up before anything is done, and what each
        is.
        """
        return needed_lookups(self.config, self.config.stage(stage), self.graph_file.settings)

    @property
    def folder(self) -> Path:
        """Where the graph file lies, and the templates from there on."""
        return (self.root / self.config.graph).parent

    def template_paths(self) -> list[Path]:
        """Where the templates lie; that of the bootstrap too, where there is one: it is in no
        stage's graph.
        """
        bootstrap = self.folder / BOOTSTRAP_TEMPLATE
        return sorted(
            {
                *(self.folder / name for name in self.templates),
                *([bootstrap] if bootstrap.is_file() else []),
            }
        )

    def bootstrap_template(self) -> Template:
        """The template of the bootstrap. Raises InputError when the project has none."""
        text = read_text(
            self.folder / BOOTSTRAP_TEMPLATE,
            "it is what bootstrap deploys; take it from deploytool's repository",
        )
        return parse_template(text, BOOTSTRAP_TEMPLATE)


def load_project(config_file: Path) -> Project:
    """Read and validate a project. Raises InputError with every problem of the first file that has
    any.
    """
    config = parse_config(
        read_text(config_file, "create one: see the README, or name it with --config"),
        config_file.name,
    )
    graph_path = config_file.parent / config.graph
    graph_file = parse_graph_file(
        read_text(graph_path, f"{config_file.name}: graph names it"), config.graph
    )
    folder = graph_path.parent
    templates = _templates(folder, graph_file)
    return Project(config_file.parent, config, graph_file, templates, _packages(folder, graph_file))


def read_text(path: Path, mend: str) -> str:
    """A file's text. Raises InputError, with the mend, when it is not there or cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError([InputProblem(str(path), "", f"no such file; {mend}")]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([InputProblem(str(path), "", f"cannot be read: {error}")]) from error


def _templates(folder: Path, graph_file: GraphFile) -> dict[str, Template]:
    problems: list[InputProblem] = []
    templates: dict[str, Template] = {}
    for spec in graph_file.stacks.values():
        path = folder / spec.template
        if not path.is_file():
            problems.append(
                InputProblem(
                    graph_file.file,
                    f"stacks.{spec.name}.template",
                    f"no such file: {spec.template} (looked in {folder})",
                )
            )
            continue
        try:
            templates[spec.template] = parse_template(
                read_text(path, "check its encoding"), spec.template
            )
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(sorted(set(problems)))
    return templates


def _packages(folder: Path, graph_file: GraphFile) -> dict[str, Package]:
    problems: list[InputProblem] = []
    packages = {}
    for spec in graph_file.artifacts.values():
        files = _files((folder / spec.source).resolve())
        if not files:
            problems.append(
                InputProblem(
                    graph_file.file,
                    f"artifacts.{spec.name}.source",
                    f"{spec.source} is no folder with files in it",
                )
            )
        packages[spec.name] = build_package(spec.name, files)
    if problems:
        raise InputError(problems)
    return packages


def _files(folder: Path) -> dict[str, bytes]:
    """What a folder holds, less what tools leave behind."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not IGNORED.intersection(path.relative_to(folder).parts)
        and path.suffix != ".pyc"
    }
