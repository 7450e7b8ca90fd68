"""Builds artifacts in a folder of its own, and keeps what was built for equal inputs.

What was built is kept below .deploytool/build of the project, as a zip whose name has a hash of the
inputs: the folder's files, the command, the platform. Versions of npm, of pip and of other tools
are no part of it.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from deploytool.core.errors import InputProblems
from deploytool.core.project.graphfile import ArtifactSpec, GraphFile
from deploytool.core.project.ignored import LEFT_OUT_OF_BUILDS, LEFT_OUT_OF_PACKAGES
from deploytool.core.project.installed import beside, without_traces
from deploytool.core.project.nativecode import native_code_problems
from deploytool.core.project.package import (
    UNZIPPED_LIMIT,
    Files,
    Package,
    build_package,
    files_in,
    not_built,
    zip_of,
)
from deploytool.core.project.platform import Platform, one_platform, platforms_of
from deploytool.core.project.recipes import (
    REQUIREMENTS,
    Build,
    CommandBuild,
    NpmBuild,
    PipBuild,
    build_key,
    choose_build,
    environment,
    npm_command,
    pip_command,
    platform_problem,
    shown,
    uv_command,
)
from deploytool.core.project.template import Template
from deploytool.files.folder import read_folder

KEPT = 4  # results for each artifact: for AWS and for a local cloud, each before and after a change
SHOWN_LINES = 15  # of the output of a command that failed

Say = Callable[[str], None]


@dataclass(frozen=True)
class Building:
    """How a command packages artifacts.

    Without `runs` nothing is built: what is not kept from an earlier build is left unknown. Without
    `reads` no folder is even read: a failover must not fail because of a file in one. With `local`
    artifacts are built for this machine, where a local cloud runs functions. `say` gets a line for
    each build.
    """

    runs: bool = False
    local: bool = False
    say: Say = print
    reads: bool = True


class Packager:
    """Packages the artifacts of a project; problems go to `problems`."""

    def __init__(
        self, folder: Path, kept: Path, building: Building, problems: InputProblems
    ) -> None:
        self._folder = folder
        self._kept = kept
        self._building = building
        self._problems = problems

    def package(
        self, spec: ArtifactSpec, file: GraphFile, templates: Mapping[str, Template]
    ) -> Package:
        """Return the package of an artifact."""
        if not self._building.reads:
            return not_built(spec.name)
        source = (self._folder / spec.source).resolve()
        names = self._read(source, spec, LEFT_OUT_OF_BUILDS, [])
        # An empty package would be deployed, and fail only when the function is called.
        if not names.contents:
            message = f"{spec.source} is not a folder with files in it"
            self._problems.add(f"artifacts.{spec.name}.source", message)
            return not_built(spec.name)

        build = choose_build(spec, names.contents, self._problems)
        platform = self._platform(spec, file, templates)
        if build is None:
            files = self._read(source, spec, LEFT_OUT_OF_PACKAGES, spec.ignore)
        else:
            found = self._built(spec, source, names, build, platform)
            if found is None:
                return not_built(spec.name)
            files = found

        self._check(spec, files, platform)
        return build_package(spec.name, files.contents, files.executables)

    def _read(
        self, folder: Path, spec: ArtifactSpec, left_out: Sequence[str], ignore: Sequence[str]
    ) -> Files:
        def report(problem: str) -> None:
            self._problems.add(f"artifacts.{spec.name}.source", f"{spec.source}/{problem}")

        return read_folder(folder, (*left_out, *ignore), report)

    def _platform(
        self, spec: ArtifactSpec, file: GraphFile, templates: Mapping[str, Template]
    ) -> Platform:
        """Return the platform of the artifact's functions."""
        platforms = platforms_of(spec.name, file, templates)
        platform = one_platform(platforms, spec.runtime, spec.architecture)
        if platform is None:
            several = ", ".join(str(platform) for platform in sorted(platforms))
            message = f"is the code of functions on different platforms ({several}); use two"
            self._problems.add(f"artifacts.{spec.name}", message)
            return Platform("", "")
        return Platform(platform.runtime, platform.architecture, self._building.local)

    def _check(self, spec: ArtifactSpec, files: Files, platform: Platform) -> None:
        """Report what Lambda would refuse, or what would fail when the function starts."""
        key = f"artifacts.{spec.name}"
        if files.size >= UNZIPPED_LIMIT:
            self._problems.add(
                key,
                f"has {files.size:,} bytes unzipped; Lambda takes less than {UNZIPPED_LIMIT:,},"
                " with the layers",
            )
        if not platform.local:
            for problem in native_code_problems(files, platform):
                self._problems.add(key, problem)

    def _built(
        self, spec: ArtifactSpec, source: Path, files: Files, build: Build, platform: Platform
    ) -> Files | None:
        """Return what a build makes of the source's files, None when it cannot or must not run."""
        key = f"artifacts.{spec.name}"
        if problem := platform_problem(build, platform):
            self._problems.add(key, problem)
        if self._problems.problems:
            return None

        kept = self._kept / f"{spec.name}-{build_key(files, build, spec.ignore, platform)}.zip"
        if kept.is_file():
            kept.touch()
            return files_in(kept.read_bytes())
        if not self._building.runs:
            return None

        with tempfile.TemporaryDirectory(prefix="deploytool-build-") as folder:
            copy = Path(folder) / "source"
            write_files(copy, files)
            run = _Run(spec, source, copy, platform, self._building.say, self._problems)
            result = self._result(run, files, build)
        if self._problems.problems:
            return None
        self._keep(kept, spec, result)
        return result

    def _result(self, run: "_Run", files: Files, build: Build) -> Files:
        """Build in the copy and return the files of the package."""
        match build:
            case CommandBuild(command, output):
                run.command(command)
                return self._output(run, output)
            case PipBuild():
                return self._with_requirements(run, files)
            case NpmBuild():
                run.command(npm_command(run.platform))
                return self._output(run, "")
            case _:
                assert_never(build)

    def _output(self, run: "_Run", output: str) -> Files:
        files = self._read(run.copy / output, run.spec, LEFT_OUT_OF_PACKAGES, run.spec.ignore)
        if not files.contents and not self._problems.problems:
            self._problems.add(run.key, f"left no file in {output or 'its folder'}")
        return files

    def _with_requirements(self, run: "_Run", files: Files) -> Files:
        # Imported here, because only a build needs it.
        from deploytool.files.requirements import missing_packages  # noqa: PLC0415

        target = run.copy.parent / "installed"
        run.command(_installer(run, str(target)))
        installed = without_traces(self._read(target, run.spec, LEFT_OUT_OF_PACKAGES, ()))
        own = self._output(run, "")
        whole = beside(own, installed, run.key, self._problems)
        requirements = files.contents[REQUIREMENTS].decode("utf-8-sig", errors="replace")
        if not self._problems.problems:
            for problem in missing_packages(whole, requirements, run.platform):
                self._problems.add(run.key, problem)
        return whole

    def _keep(self, kept: Path, spec: ArtifactSpec, files: Files) -> None:
        """Keep a result for the next run, and drop the oldest ones of the artifact."""
        self._kept.mkdir(parents=True, exist_ok=True)
        # Written beside it and renamed: another run never sees half a file.
        part = kept.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(zip_of(files))
        part.replace(kept)

        results = sorted(self._kept.glob(f"{spec.name}-????????????????.zip"), key=_age)
        for old in results[KEPT:]:
            old.unlink(missing_ok=True)


def _age(path: Path) -> float:
    """Return a number that is smaller the newer a file is."""
    return -path.stat().st_mtime


def write_files(folder: Path, files: Files) -> None:
    """Write files below a folder that does not exist."""
    folder.mkdir(parents=True)
    for path, content in files.contents.items():
        whole = folder / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(content)
        if path in files.executables:
            whole.chmod(0o755)


@dataclass(frozen=True)
class _Run:
    """A build that runs in a copy of the artifact's folder."""

    spec: ArtifactSpec
    source: Path
    copy: Path
    platform: Platform
    say: Say
    problems: InputProblems

    @property
    def key(self) -> str:
        return f"artifacts.{self.spec.name}.build"

    def command(self, command: Sequence[str] | str) -> None:
        """Run a command, or a text in a shell. A failure is a problem, with the end of its output."""
        if not command:
            return
        self.say(f"Building {self.spec.name} for {self.platform}: {shown(command)}")
        is_text = isinstance(command, str)
        variables = environment(self.platform, str(self.source))
        try:
            process = subprocess.run(
                command,
                shell=is_text,  # the user's own command, in the user's own file
                cwd=self.copy,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            self.problems.add(self.key, f"{shown(command)}: cannot be run: {error.strerror}")
            return
        if process.returncode != 0:
            end = "\n".join(process.stdout.strip().splitlines()[-SHOWN_LINES:])
            self.problems.add(
                self.key, f"{shown(command)}: ended with exit code {process.returncode}:\n{end}"
            )


def _installer(run: _Run, target: str) -> Sequence[str]:
    """Return the command that installs the requirements, empty when neither pip nor uv is there."""
    if importlib.util.find_spec("pip") is not None:
        return pip_command(run.platform, sys.executable, target)
    if shutil.which("uv") is not None:
        return uv_command(run.platform, sys.executable, target)
    run.problems.add(run.key, f"needs pip or uv; run: {sys.executable} -m ensurepip")
    return ()
