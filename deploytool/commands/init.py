"""deploytool init: write a project into a folder, or bring a later version of its files."""

import re
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from deploytool import __version__
from deploytool.aws.limits import BRIEF
from deploytool.aws.offers import AccountOffers
from deploytool.aws.sessions import Clients
from deploytool.commands._context import terminal_of
from deploytool.commands.arguments.init import InitArguments
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.project.config import PROJECT, PROJECT_RULE, STAGE, STAGE_RULE, parse_config
from deploytool.core.project.regions import region_problem
from deploytool.core.project.starter import (
    CONFIG,
    IGNORED,
    MANIFEST,
    REGIONS,
    Answers,
    Fate,
    config_text,
    diff_lines,
    fate_of,
    manifest_of,
    parse_manifest,
    project_files,
)
from deploytool.core.route53.names import domain_problem
from deploytool.files.git import ask_git
from deploytool.files.starter import read_files, read_starter, write_files
from deploytool.files.text import read_text
from deploytool.render.init import next_lines, update_lines, written_lines
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape

WORKFLOWS = ".github/"
MOST_OFFERED = 20  # a longer list pushes the question off the screen


def run(arguments: InitArguments) -> int:
    """Write a project, or bring it up to date; return 0. Raises InputError."""
    terminal = terminal_of(arguments)
    if arguments.update:
        return _update(arguments, terminal)

    folder = arguments.folder
    if (folder / CONFIG).exists():
        raise InputError(
            f"{folder / CONFIG}: is there already; nothing was written",
            hint="bring what a later version of deploytool has with: deploytool init --update",
        )
    answers = _answers(arguments, terminal)
    files = project_files(read_starter(), answers, __version__)
    left_out = _outer_repository(folder)
    if left_out is not None:
        files = {path: text for path, text in files.items() if not path.startswith(WORKFLOWS)}

    there = read_files(folder, iter(files))
    new = {path: content for path, content in files.items() if path not in there}
    kept = [path for path in there if there[path] != files[path] and path != IGNORED]
    write_files(folder, {**new, MANIFEST: manifest_of(new, __version__).to_json().encode()})

    terminal.document(
        {"folder": str(folder.absolute()), "written": sorted(new), "kept": sorted(kept)}
    )
    for line in written_lines(answers, folder.absolute(), sorted(new), sorted(kept)):
        terminal.say(line)
    if left_out is not None:
        terminal.say(
            f"  [yellow]no workflows[/]: GitHub reads them from the root of the repository,"
            f" {escape(str(left_out))}"
        )
    is_here = folder.absolute() == Path.cwd()
    for line in next_lines(answers, is_here=is_here, folder=folder):
        terminal.say(line)
    return 0


def _outer_repository(folder: Path) -> Path | None:
    """Return the root of the git repository around a folder, None when the folder is the root."""
    inside = next(each for each in (folder, *folder.absolute().parents) if each.is_dir())
    root = ask_git(inside, "rev-parse", "--show-toplevel")
    if not root or Path(root).resolve() == folder.resolve():
        return None
    return Path(root)


def _answers(arguments: InitArguments, terminal: Terminal) -> Answers:
    """Return the answers of the options, and ask for what they lack. Raises InputError."""
    asks = not arguments.yes and sys.stdin.isatty() and sys.stderr.isatty()
    ask = _Questions(terminal) if asks else None

    project = arguments.project
    if project is None:
        suggested = _name_of(arguments.folder)
        project = (
            ask.text("The name of the project", suggested, _project_problem) if ask else suggested
        )
    _refuse(_project_problem(project), "--project")

    domain = arguments.domain
    if domain is None:
        if ask is None:
            raise InputError(
                "--domain is missing", hint="deploytool init --domain DOMAIN, a domain that you own"
            )
        domain = ask.domain()
    _refuse(_domain_problem(domain), "--domain")

    regions = arguments.regions
    if regions is None:
        regions = ask.regions() if ask else ",".join(REGIONS)
    _refuse(_regions_problem(regions), "--regions")
    primary, secondary = regions.split(",")

    stages = arguments.stages or Answers.stages
    for stage in stages:
        _refuse(_stage_problem(stage), "--stage")
    zone = arguments.zone or (ask.zone(domain) if ask else "new")
    answers = Answers(project, domain, (primary, secondary), tuple(dict.fromkeys(stages)), zone)
    # What the parts do not show, like the length of a stage's domain, the parser of the file does
    parse_config(config_text(answers), CONFIG)
    return answers


class _Questions:
    """Asks for what the options do not say, and offers what the account has."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._offers = AccountOffers(Clients(limits=BRIEF), REGIONS[0])
        self._zones: list[str] = []

    def text(self, question: str, default: str, problem_of: Callable[[str], str]) -> str:
        """Ask until the answer has no problem."""
        while True:
            suffix = f" [{default}]" if default else ""
            self._terminal.note(f"{question}{escape(suffix)}:")
            answer = input().strip() or default
            problem = problem_of(answer)
            if not problem:
                return answer
            self._terminal.note(f"  [yellow]{escape(problem)}[/]")

    def domain(self) -> str:
        """Ask for the domain."""
        self._zones = self._offered("hosted zones", self._offers.zones)
        default = self._zones[0] if len(self._zones) == 1 else ""
        return self.text("A domain that you own", default, _domain_problem)

    def regions(self) -> str:
        """Ask for the regions."""
        self._offered("enabled regions", self._offers.regions)
        question = "Two regions, the primary first"
        return self.text(question, ",".join(REGIONS), _regions_problem)

    def zone(self, domain: str) -> str:
        """Return `existing` when the account has a zone that holds the domain."""
        holds = any(domain == zone or domain.endswith(f".{zone}") for zone in self._zones)
        return "existing" if holds else "new"

    def _offered(self, what: str, read: Callable[[], Sequence[str]]) -> list[str]:
        """Show what the account has. Without credentials the user answers without it."""
        try:
            names = list(read())
        except DeploytoolError as error:
            self._terminal.note(f"[dim](the {what} are not known: {escape(str(error))})[/]")
            return []
        more = f" and {len(names) - MOST_OFFERED} more" if len(names) > MOST_OFFERED else ""
        shown = ", ".join(names[:MOST_OFFERED]) or "none"
        self._terminal.note(f"[dim]{what} of your account: {escape(shown)}{more}[/]")
        return names


def _name_of(folder: Path) -> str:
    """Return the name of a folder as that of a project."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.absolute().name.lower()).strip("-")
    return name if PROJECT.fullmatch(name) else "hello"


def _refuse(problem: str, option: str) -> None:
    if problem:
        raise InputError(f"{option}: {problem}")


def _project_problem(text: str) -> str:
    if PROJECT.fullmatch(text):
        return ""
    return f"{text!r} must be {PROJECT_RULE}"


def _domain_problem(text: str) -> str:
    return domain_problem(text) or ""


def _stage_problem(text: str) -> str:
    if STAGE.fullmatch(text):
        return ""
    return f"{text!r} must be {STAGE_RULE}"


def _regions_problem(text: str) -> str:
    names = text.split(",")
    for name in names:
        problem = region_problem(name)
        if problem:
            return problem
    if len(names) != 2 or names[0] == names[1]:
        return f"{text!r} must be two different regions, like {','.join(REGIONS)}"
    return ""


def _update(arguments: InitArguments, terminal: Terminal) -> int:
    """Show what this version has newer; write it with --yes, or when the user agrees."""
    folder = arguments.folder
    manifest = parse_manifest(read_text(folder / MANIFEST, "only `deploytool init` makes one"))
    text = read_text(folder / CONFIG, "write a project with: deploytool init")
    config = parse_config(text, CONFIG)
    domain = tomllib.loads(text)["domain"]
    answers = Answers(config.project, domain, config.regions, tuple(config.stages))
    files = project_files(read_starter(), answers, __version__)
    files = {path: content for path, content in files.items() if path not in (CONFIG, IGNORED)}
    if _outer_repository(folder) is not None:
        files = {path: text for path, text in files.items() if not path.startswith(WORKFLOWS)}

    current = read_files(folder, iter(files))
    fates = {
        path: fate_of(path, content, current.get(path), manifest)
        for path, content in sorted(files.items())
    }
    wanted = {
        path: files[path] for path, fate in fates.items() if fate in (Fate.ADDED, Fate.UPDATED)
    }
    for path, content in wanted.items():
        for line in diff_lines(path, current.get(path, b""), content):
            terminal.say(escape(line))
    for line in update_lines(fates):
        terminal.say(line)

    applies = bool(wanted) and (arguments.yes or _agrees(terminal))
    if applies:
        digests = {**manifest.digests, **manifest_of(wanted, __version__).digests}
        manifest = type(manifest)(__version__, digests)
        write_files(folder, {**wanted, MANIFEST: manifest.to_json().encode()})
    terminal.document(
        {"applied": applies, "files": {path: str(fate) for path, fate in fates.items()}}
    )
    terminal.say(_result(len(wanted), applies=applies))
    return 0


def _agrees(terminal: Terminal) -> bool:
    if not sys.stdin.isatty() or terminal.json:
        return False
    terminal.note("Write this? [y/N]")
    return input().strip().lower() in ("y", "yes")


def _result(count: int, *, applies: bool) -> str:
    if not count:
        return f"Nothing to bring: the files are those of deploytool {__version__}."
    if applies:
        return (
            f"{count} files are those of deploytool {__version__} now. Review them with: git diff"
        )
    return "Nothing was changed. Write it with: deploytool init --update --yes"
