"""deploytool lint: check the configuration, every stage's graph, and the templates with cfn-lint.

Calls no AWS API.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploytool.commands._context import terminal_of
from deploytool.commands._permissions import findings_of
from deploytool.commands.arguments.base import StageArguments
from deploytool.core.errors import DeploytoolError, InputError, InputProblem
from deploytool.core.permissions.grants import grants_for
from deploytool.core.project.role_findings import RoleFindings
from deploytool.core.transforms import only_on_aws
from deploytool.files.project import Project, load_project
from deploytool.render.permissions import finding_lines, findings_document
from deploytool.render.text import escape

# The rules of cfn-lint that warn of merged mappings and aliases. CloudFormation does not take them,
# and `core.project.yamltext` resolves them.
RESOLVED = ("W1100", "W1101")


def run(arguments: StageArguments) -> int:
    """Return 0 when nothing is wrong, 1 when cfn-lint reports something or a role lacks something.

    Raises InputError for problems of the configuration and the graphs.
    """
    terminal = terminal_of(arguments)
    project = load_project(arguments.config)
    _build_graphs(project)
    findings, role_lines = _role_problems(project)
    report = _cfn_lint(project)

    only_aws = _only_on_aws(project)

    stages = list(project.config.stages)
    terminal.document(
        {
            "stages": stages,
            "templates": sorted(project.templates),
            "only_on_aws": {file: list(names) for file, names in only_aws.items()},
            "cfn_lint": report.splitlines(),
            "permissions": findings_document(findings),
        }
    )
    for file, names in only_aws.items():
        terminal.note(
            f"{file}: {', '.join(names)} works on AWS only; `deploy --local` refuses the template"
        )
    if report:
        terminal.say(report)
    for line in role_lines:
        terminal.say(escape(line))
    if report or role_lines:
        return 1
    terminal.say(
        f"{len(stages)} stages and {len(project.template_paths())} templates: no problem found."
    )
    return 0


def _only_on_aws(project: Project) -> dict[str, tuple[str, ...]]:
    """Return the macros and transforms that the local cloud cannot apply, by template."""
    found = {file: only_on_aws(template.document) for file, template in project.templates.items()}
    return {file: names for file, names in found.items() if names}


def _build_graphs(project: Project) -> None:
    """Build each stage's graph. Raises InputError with the problems of all stages."""
    # Most problems are the same for every stage
    problems: set[InputProblem] = set()
    for stage in project.config.stages:
        try:
            project.graph(stage)
        except InputError as error:
            problems.update(error.problems)
    if problems:
        raise InputError(sorted(problems))


def _role_problems(project: Project) -> tuple[RoleFindings, list[str]]:
    """Return what the roles of the pipeline lack, and the lines that say it.

    A project without the bootstrap's template has no roles.
    """
    if not project.has_bootstrap_template():
        return RoleFindings(), []
    findings = findings_of(project, project.own_permissions())
    return findings, finding_lines(findings, grants_for(findings.lacking))


def _cfn_lint(project: Project) -> str:
    """Return what cfn-lint reports for the templates in their regions, "" when nothing.

    Raises DeploytoolError when cfn-lint is not installed.
    """
    # A virtual environment that is not activated is not on the PATH
    own_folder = str(Path(sys.executable).parent)
    search_path = os.pathsep.join((own_folder, os.environ.get("PATH", os.defpath)))
    cfn_lint = shutil.which("cfn-lint", path=search_path)
    if cfn_lint is None:
        raise DeploytoolError("cfn-lint is not installed", hint="pip install 'deploytool[lint]'")

    problems: list[str] = []
    for regions, templates in project.templates_by_regions().items():
        paths = [str(path) for path in templates]
        command = [cfn_lint, "--format", "parseable", "--regions", *regions, "--", *paths]
        process = subprocess.run(command, check=False, capture_output=True, text=True)
        if process.returncode != 0:
            report = (process.stdout + process.stderr).strip()
            problems += [line for line in report.splitlines() if not _is_resolved(line)]
    return "\n".join(problems)


def _is_resolved(line: str) -> bool:
    """Return whether a line of cfn-lint's report is about YAML that is resolved before it is sent."""
    return any(f":{rule}:" in line for rule in RESOLVED)
