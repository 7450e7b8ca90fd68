"""deploytool doctor: find what commonly goes wrong before a deployment does, and name the fix.

It changes nothing. Each check is independent of the others: one that fails is "not checked".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from deploytool.commands._context import checked_regions, terminal_of
from deploytool.commands.arguments.base import DEFAULT_CONFIG, StageArguments
from deploytool.core.doctor.finding import Finding, Group, Topic, exit_code
from deploytool.core.errors import InputError, InputProblem
from deploytool.core.project.config import Config, Stage
from deploytool.files.project import Project, load_config, load_project
from deploytool.net.executor import ThreadExecutor
from deploytool.render.doctor import doctor_document, doctor_lines
from deploytool.render.terminal import Terminal
from deploytool.targets.doctor import Setup, aws_checks, local_checks, machine_checks
from deploytool.work.doctor.project import findings_of
from deploytool.work.doctor.run import Check, Checked, run_checks

CONFIGURATION = Topic("configuration", "configuration")
GRAPH = Topic("graph", "stacks, templates")


def run(arguments: StageArguments) -> int:
    """Return 0 without a problem, 1 with one, and 3 or 4 when AWS answered nothing.

    Raises InputError for an argument that fits nothing, such as a stage that the project lacks.
    """
    terminal = terminal_of(arguments)
    reading = _read(arguments)
    setup = reading.setup(arguments)
    project = Check(Group.PROJECT, CONFIGURATION, lambda: reading.findings)
    with ThreadExecutor() as executor:
        checks = [*machine_checks(setup, executor, local=arguments.local), project]
        if arguments.local:
            checks += local_checks(setup, executor)
        else:
            checks += aws_checks(setup, executor)
        checked = run_checks(executor, checks)

    terminal.document(doctor_document(checked, Terminal.options))
    if not terminal.json:
        for line in doctor_lines(checked, terminal.out.width, Terminal.options):
            terminal.out.print(line)
    return _exit_code(checked)


def _exit_code(checked: Sequence[Checked]) -> int:
    everything: list[Finding] = []
    of_cloud: list[Finding] = []
    for each in checked:
        everything += each.findings
        if each.check.asks_cloud:
            of_cloud += each.findings
    return exit_code(everything, of_cloud)


@dataclass
class _Reading:
    """The files of the project, as far as they can be read, and what was found in them."""

    config: Config | None = None
    project: Project | None = None
    valid: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    reason: str = ""
    hint: str = ""

    def stages(self, arguments: StageArguments) -> Sequence[Stage]:
        """Return the chosen stages, all without --stage. Raises InputError for an unknown one."""
        if self.config is None:
            return ()
        if arguments.stage is None:
            return tuple(self.config.stages.values())
        return (self.config.stage(arguments.stage),)

    def setup(self, arguments: StageArguments) -> Setup:
        """Return what the checks need to know. Raises InputError for an unknown stage or region."""
        regions = arguments.regions
        if self.config is not None:
            regions = checked_regions(regions, self.config.regions)
        return Setup(
            arguments.config.parent,
            self.config,
            self.project,
            self.stages(arguments),
            self.valid,
            regions,
            self.reason,
            self.hint,
        )


def _read(arguments: StageArguments) -> _Reading:
    """Read the files step by step: each step needs the one before.

    Raises InputError when --config names a file that is not there, or --stage no stage.
    """
    reading = _Reading()
    path = arguments.config
    if not path.exists() and path == DEFAULT_CONFIG:
        reading.reason = f"there is no {path} here"
        reading.hint = "deploytool init"
        reading.findings.append(CONFIGURATION.not_checked(reading.reason, reading.hint))
        return reading
    if not path.exists():
        raise InputError(f"--config {path}: no such file")

    reading.reason = f"{path} has problems"
    reading.hint = "deploytool lint"
    problems: set[InputProblem] = set()
    try:
        reading.config = load_config(path)
    except InputError as error:
        reading.findings += findings_of(CONFIGURATION, error, problems)
        return reading
    stages = reading.stages(arguments)
    names = ", ".join(reading.config.stages)
    regions = " and ".join(reading.config.regions)
    reading.findings.append(CONFIGURATION.ok(f"{path}: {names} in {regions}"))

    reading.reason = "the graph or the templates have problems"
    try:
        reading.project = load_project(path)
    except InputError as error:
        reading.findings += findings_of(GRAPH, error, problems)
        return reading
    _build_graphs(reading, reading.project, stages, problems)
    return reading


def _build_graphs(
    reading: _Reading, project: Project, stages: Sequence[Stage], problems: set[InputProblem]
) -> None:
    """Build the graph of each stage, and add what is wrong with it."""
    for stage in stages:
        topic = Topic(f"stage.{stage.name}", f"stage {stage.name}")
        try:
            graph = project.graph(stage.name)
        except InputError as error:
            reading.findings += findings_of(topic, error, problems)
            continue
        reading.valid.append(stage.name)
        count = len(project.templates)
        message = f"{stage.domain}: {len(graph.nodes)} stacks from {count} templates"
        reading.findings.append(topic.ok(message))
