"""deploytool lint: the configuration, every stage's graph, and the templates by cfn-lint. No AWS
call.
"""

import os
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

from deploytool.commands._common import terminal_of
from deploytool.core.errors import DeploytoolError, InputError, InputProblem
from deploytool.files.project import Project, load_project


def run(args: Namespace) -> int:
    """Check everything; 0 when all is well, 1 when cfn-lint has something to say."""
    terminal = terminal_of(args)
    project = load_project(args.config)
    _graphs(project)
    words = _cfn_lint(project)
    document = {
        "stages": list(project.config.stages),
        "templates": sorted(project.templates),
        "cfn_lint": words.splitlines(),
    }
    terminal.document(document)
    if words:
        terminal.say(words)
        return 1
    terminal.say(
        f"{len(project.config.stages)} stages, {len(project.template_paths())} templates: no fault found."
    )
    return 0


def _graphs(project: Project) -> None:
    """Build each stage's graph; raises InputError with the problems of all."""
    problems: set[InputProblem] = set()
    for stage in project.config.stages:
        try:
            project.graph(stage)
        except InputError as error:
            problems.update(error.problems)
    if problems:
        raise InputError(sorted(problems))


def _cfn_lint(project: Project) -> str:
    """What cfn-lint says against the templates, for both regions; empty when nothing."""
    beside_us = str(Path(sys.executable).parent)
    cfn_lint = shutil.which(
        "cfn-lint", path=os.pathsep.join((beside_us, os.environ.get("PATH", os.defpath)))
    )
    if cfn_lint is None:
        raise DeploytoolError("cfn-lint is not installed", hint="pip install 'deploytool[lint]'")
    templates = [str(path) for path in project.template_paths()]
    command = [
        cfn_lint,
        "--format",
        "parseable",
        "--regions",
        *project.config.regions,
        "--",
        *templates,
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip() if done.returncode else ""
