"""Reads a project from disk: deploytool.toml, the graph file, the templates and the artifacts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from deploytool.core.errors import InputError, InputProblems
from deploytool.core.project.bootstrap import TEMPLATE as BOOTSTRAP_TEMPLATE
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import Config, Setting, parse_config
from deploytool.core.project.graph import Graph
from deploytool.core.project.graphfile import GraphFile
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.own_permissions import (
    GRANTED_FILE,
    OWN_FILE,
    OwnPermissions,
    parse_granted,
    parse_own,
)
from deploytool.core.project.package import Package
from deploytool.core.project.settings import needed_lookups
from deploytool.core.project.template import Template, parse_template
from deploytool.files.builds import Building, Packager
from deploytool.files.text import read_text

# Where built artifacts are kept, below the project's folder
BUILDS = Path(".deploytool") / "build"
NO_BUILDING = Building()


@dataclass(frozen=True)
class Project:
    """The files of a project."""

    root: Path  # the folder of deploytool.toml
    config: Config
    graph_file: GraphFile
    templates: Mapping[str, Template]  # by file name as the graph file writes it
    packages: Mapping[str, Package]  # by artifact

    def graph(self, stage: str | None, looked_up: Mapping[str, Setting] | None = None) -> Graph:
        """Return the graph of a stage, or of the only stage when None.

        `looked_up` are the values of its `lookups`. Raises InputError with every problem.
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
        """Return the settings of a stage to look up before the graph is built, each with its kind."""
        return needed_lookups(self.config, self.config.stage(stage), self.graph_file.settings)

    @property
    def folder(self) -> Path:
        """The folder of the graph file. The templates' paths are relative to it."""
        return (self.root / self.config.graph).parent

    def template_paths(self) -> list[Path]:
        """Return the sorted paths of all templates.

        The template of the bootstrap is one of them if it exists; it is in no stage's graph.
        """
        paths = {self.folder / name for name in self.templates}
        bootstrap = self.folder / BOOTSTRAP_TEMPLATE
        if bootstrap.is_file():
            paths.add(bootstrap)
        return sorted(paths)

    def templates_by_regions(self) -> dict[tuple[str, ...], list[Path]]:
        """Return the paths of all templates by the regions in which stacks of them may be.

        A global stack counts for both regions of the project: it moves when they change places.
        """
        regions: dict[Path, set[str]] = {path: set() for path in self.template_paths()}
        for spec in self.graph_file.stacks.values():
            path = self.folder / spec.template
            regions[path].update([spec.region] if spec.region else self.config.regions)

        result: dict[tuple[str, ...], list[Path]] = {}
        for path, its_regions in regions.items():
            key = tuple(sorted(its_regions or self.config.regions))
            result.setdefault(key, []).append(path)
        return result

    @property
    def granted_path(self) -> Path:
        """The path of the file with the permissions that `bootstrap` granted."""
        return self.folder / GRANTED_FILE

    def has_bootstrap_template(self) -> bool:
        """Return whether the project has the template of the bootstrap."""
        return (self.folder / BOOTSTRAP_TEMPLATE).is_file()

    def own_permissions(self) -> OwnPermissions:
        """Return the permissions of the project's own; none for a file that does not exist.

        Raises InputError with every problem of the first file that has any.
        """
        own = OwnPermissions()
        path = self.folder / OWN_FILE
        if path.is_file():
            own = parse_own(read_text(path, "replace it, or delete it"), OWN_FILE)
        if self.granted_path.is_file():
            text = read_text(self.granted_path, "replace it, or delete it")
            own = replace(own, granted=parse_granted(text, GRANTED_FILE))
        return own

    def bootstrap_template(self) -> Template:
        """Return the template of the bootstrap. Raises InputError when the project has none."""
        text = read_text(
            self.folder / BOOTSTRAP_TEMPLATE,
            "bootstrap deploys it; copy it from deploytool's repository",
        )
        return parse_template(text, BOOTSTRAP_TEMPLATE)


def load_config(config_file: Path) -> Config:
    """Read and validate deploytool.toml alone. Raises InputError with every problem."""
    config_text = read_text(
        config_file, "create a project with: deploytool init, or name the file with --config"
    )
    return parse_config(config_text, config_file.name)


def load_project(config_file: Path, building: Building = NO_BUILDING) -> Project:
    """Read and validate a project. `building` says what happens to artifacts that are built.

    Raises InputError with every problem of the first file that has any.
    """
    config = load_config(config_file)

    graph_path = config_file.parent / config.graph
    graph_text = read_text(graph_path, f"{config_file.name}: graph names it")
    graph_file = parse_graph_file(graph_text, config.graph)

    # The paths in the graph file are relative to it.
    folder = graph_path.parent
    templates = _templates(folder, graph_file)
    kept = config_file.parent / BUILDS
    packages = _packages(folder, kept, graph_file, templates, building)
    return Project(config_file.parent, config, graph_file, templates, packages)


def _templates(folder: Path, graph_file: GraphFile) -> dict[str, Template]:
    """Return the templates of all stacks. Raises InputError with the problems of every one."""
    problems = InputProblems(graph_file.file)
    templates: dict[str, Template] = {}
    for spec in graph_file.stacks.values():
        if spec.template in templates:
            continue  # several stacks may be made of one template
        path = folder / spec.template
        if not path.is_file():
            message = f"no such file: {spec.template} (looked in {folder})"
            problems.add(f"stacks.{spec.name}.template", message)
            continue

        try:
            text = read_text(path, f"{graph_file.file} names it")
            templates[spec.template] = parse_template(text, spec.template)
        except InputError as error:
            problems.problems += error.problems

    # Several stacks may use one template; its problems are reported once.
    problems.raise_any()
    return templates


def _packages(
    folder: Path,
    kept: Path,
    graph_file: GraphFile,
    templates: Mapping[str, Template],
    building: Building,
) -> dict[str, Package]:
    """Return the packages of all artifacts. Raises InputError with the problems of all."""
    problems = InputProblems(graph_file.file)
    packages: dict[str, Package] = {}
    for spec in graph_file.artifacts.values():
        # Each has its own problems: those of one do not keep the others from being built.
        own_problems = InputProblems(graph_file.file)
        packager = Packager(folder, kept, building, own_problems)
        packages[spec.name] = packager.package(spec, graph_file, templates)
        problems.problems += own_problems.problems

    problems.raise_any()
    return packages
