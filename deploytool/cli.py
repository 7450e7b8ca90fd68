"""The command line: the parser, and how every error ends.

The modules that do the work are imported by the command that needs them: `commands.arguments` says
why.
"""

import os
import re
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from types import FrameType
from typing import ClassVar, NoReturn

from deploytool import __version__
from deploytool.commands._signals import StopRequested, hear_requests
from deploytool.commands.arguments.base import (
    Arguments,
    StageArguments,
    check_target_variable,
    sentence,
)
from deploytool.commands.arguments.bootstrap import BootstrapArguments
from deploytool.commands.arguments.completion import COMPLETE, CompletionArguments, candidates
from deploytool.commands.arguments.deploy import DeployArguments, DestroyArguments, PlanArguments
from deploytool.commands.arguments.drill import DrillArguments, HistoryArguments, ReportArguments
from deploytool.commands.arguments.failover import MoveArguments
from deploytool.commands.arguments.graph import GraphArguments
from deploytool.commands.arguments.init import InitArguments
from deploytool.commands.arguments.logs import LogsArguments
from deploytool.commands.arguments.restore import RestoreArguments
from deploytool.commands.arguments.schema import SchemaArguments
from deploytool.core.errors import DeploytoolError, InputError, Interrupted, suggestion
from deploytool.render.advice import advised
from deploytool.render.terminal import Terminal
from deploytool.render.text import visible

# The commands in the order in which the help lists them. The work of each is `run` of the module
# of its name in `commands`.
COMMANDS: dict[str, tuple[type[Arguments], str]] = {
    "init": (InitArguments, "write a project into a folder, without AWS"),
    "doctor": (StageArguments, "find what is wrong with a setup before a deployment does"),
    "lint": (StageArguments, "check the configuration and the templates, without AWS"),
    "graph": (GraphArguments, "draw the stacks and what they wait for, without AWS"),
    "plan": (PlanArguments, "show what a deployment would change"),
    "deploy": (DeployArguments, "deploy what has changed, in dependency order"),
    "status": (StageArguments, "show the deployed stacks and any unfinished drill"),
    "outputs": (StageArguments, "show the outputs of the stacks"),
    "check": (StageArguments, "resolve the domain, call it, and show which region serves"),
    "logs": (LogsArguments, "show what the functions log, of both regions in the order of time"),
    "drill": (DrillArguments, "make the primary fail, measure the failover, restore"),
    "restore": (RestoreArguments, "undo what an interrupted drill left behind"),
    "failover": (MoveArguments, "move traffic to the secondary, and keep it there"),
    "failback": (MoveArguments, "let traffic come back to the primary"),
    "destroy": (DestroyArguments, "delete the stacks, in reverse order"),
    "matrix": (StageArguments, "print what a pipeline must know of a stage, without AWS"),
    "completion": (CompletionArguments, "print what lets a shell complete command lines"),
    "bootstrap": (BootstrapArguments, "create the roles that GitHub Actions assumes"),
    "history": (HistoryArguments, "list the drills of a directory of reports, without AWS"),
    "report": (ReportArguments, "judge a drill's history again and write its reports, without AWS"),
    "schema": (SchemaArguments, "print the JSON Schema of a file of the project, for editors"),
}
LOCAL_SUMMARY = "start, use, break and end a local cloud, without AWS"
# EX_SOFTWARE of sysexits.h: a bug of this program, not an answer to the user's question
BUG_EXIT_CODE = 70
# Set to print the traceback of a bug instead of writing it to a file
TRACEBACK = "DEPLOYTOOL_TRACEBACK"


# How argparse says that a word is none of several, and that an option is unknown
INVALID_CHOICE = re.compile(
    r"(?P<what>.*invalid choice: '(?P<word>.*)') \(choose from (?P<known>.*)\)", re.DOTALL
)
UNKNOWN_OPTION = re.compile(r"unrecognized arguments: (?P<word>--[^\s=]+)")


class _Parser(ArgumentParser):
    """A parser whose errors show the user's words and do not let them act on the terminal.

    They say what was meant, and are a document where the result would be one.
    """

    # What the errors of this run need: its words, and the options of its command
    words: ClassVar[Sequence[str]] = ()
    options: ClassVar[Sequence[str]] = ()

    def error(self, message: str) -> NoReturn:
        text = visible(_with_suggestion(message, _Parser.options))
        if _wants_json(_Parser.words):
            document = {"error": text, "hint": "", "exit_code": InputError.exit_code}
            Terminal(json=True).document(document)
        super().error(text)

    def option_choices(self) -> dict[str, Sequence[str] | None]:
        """Return every option with the values that it may have, None for any value and for flags."""
        options: dict[str, Sequence[str] | None] = {}
        for name, action in self._option_string_actions.items():
            options[name] = list(map(str, action.choices)) if action.choices else None
        return options


def _complete(words: Sequence[str]) -> int:
    """Print what can stand where the last word stands, a line each, for the shell."""
    command = words[0] if words else ""
    known: Sequence[str] = (*COMMANDS, "local")
    parser = _Parser(add_help=True)
    if len(words) > 1 and command == "local":
        from deploytool.commands.arguments.local import ACTIONS  # noqa: PLC0415

        words = words[1:]
        known = tuple(ACTIONS)
        if len(words) > 1 and words[0] in ACTIONS:
            ACTIONS[words[0]][0].add_to(parser)
    elif command in COMMANDS:
        COMMANDS[command][0].add_to(parser)
    for word in candidates(words, known, parser.option_choices()):
        print(word)
    return 0


def _with_suggestion(message: str, options: Sequence[str]) -> str:
    """Return an error of argparse with the word that was meant instead of all that there are."""
    choice = INVALID_CHOICE.fullmatch(message)
    if choice:
        known = [word.strip("'") for word in choice["known"].split(", ")]
        meant = suggestion(choice["word"], known)
        return choice["what"] + meant if meant else message
    unknown = UNKNOWN_OPTION.match(message)
    if unknown:
        return message + suggestion(unknown["word"], options)
    return message


def _wants_json(words: Sequence[str]) -> bool:
    """Return whether a command line that could not be parsed asks for a document."""
    return "--output=json" in words or ("--output", "json") in pairwise(words)


def build_parser(words: Sequence[str]) -> ArgumentParser:
    """Return the parser for a command line.

    It knows every command and only the arguments of the command that `words` name: to add those
    of all commands would take as long as everything else that `--help` does.
    """
    _Parser.words, _Parser.options = words, ()
    parser = _Parser(
        prog="deploytool",
        description="Deploy an API to two AWS regions and prove that it fails over.",
        epilog="`deploytool COMMAND --help` lists the options of a command.",
    )
    parser.add_argument("--version", action="version", version=f"deploytool {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    # No option before the command takes a value
    selected = next((word for word in words if not word.startswith("-")), "")
    for name, (arguments, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=sentence(summary))
        if name == selected:
            arguments.add_to(command)
            _Parser.options = tuple(command.option_choices())

    local = commands.add_parser("local", help=LOCAL_SUMMARY, description=sentence(LOCAL_SUMMARY))
    if selected == "local":
        # A class for each of its actions: a tenth of the time of `deploytool --help`
        from deploytool.commands.arguments.local import add_actions  # noqa: PLC0415

        add_actions(local)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code, which docs/reference/command-line.md lists."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == [COMPLETE]:
        return _complete(words[1:])
    namespace = build_parser(words).parse_args(words)
    hear_requests(_interrupt)
    Terminal.has_document = False
    Terminal.about = None
    Terminal.options = ()
    terminal = Terminal(json=namespace.output == "json")
    try:
        check_target_variable()
        command = import_module(f"deploytool.commands.{namespace.command}")
        return int(command.run(namespace.arguments.parse(namespace)))
    except DeploytoolError as error:
        return _fail(terminal, str(error), error.hint, error.exit_code)
    except KeyboardInterrupt:
        return _fail(terminal, "interrupted", "", Interrupted.exit_code)
    except BrokenPipeError:
        # The reader of standard output has ended, as `head` does. Python flushes the stream once
        # more at exit, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001  # every other exception is a bug of deploytool
        message, hint = _describe_bug(error)
        return _fail(terminal, message, hint, BUG_EXIT_CODE)


def _fail(terminal: Terminal, message: str, hint: str, exit_code: int) -> int:
    """Print an error, and with --output json a document of it if there is none; return the code."""
    message, hint = advised(message, Terminal.options), advised(hint, Terminal.options)
    _print_error(message, hint)
    from deploytool.render.github import annotate_error, on_github  # noqa: PLC0415  # for errors

    if on_github():
        command = next((word for word in _Parser.words if not word.startswith("-")), "")
        annotate_error(command, visible(message), visible(hint), terminal)
    if not Terminal.has_document:
        terminal.document({"error": message, "hint": hint, "exit_code": exit_code})
    return exit_code


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Handle each request to stop as Ctrl-C: the command cleans up what it started."""
    raise StopRequested


def _print_error(message: str, hint: str = "") -> None:
    for line in visible(message).split("\n"):
        print(f"error: {line}", file=sys.stderr)
    if hint:
        print(f"  hint: {visible(hint)}", file=sys.stderr)


def _describe_bug(error: Exception) -> tuple[str, str]:
    """Return that this is a bug and how to report it, and keep the traceback for that."""
    import traceback  # noqa: PLC0415  # like tempfile below: 15 ms that only a bug has to spend

    text = "".join(traceback.format_exception(error))
    versions = f"deploytool {__version__}, Python {sys.version.split()[0]}, {sys.platform}"

    if os.environ.get(TRACEBACK):
        print(text, file=sys.stderr, end="")
        attachment = "the traceback above"
    else:
        attachment = _write_traceback(f"{versions}\n{text}")

    message = f"unexpected {type(error).__name__}: {error}"
    hint = f"this is a bug in deploytool; please report it with {attachment} ({versions})"
    return message, hint


def _write_traceback(text: str) -> str:
    """Write a traceback to a file that only the user can read; return what to attach to a report.

    A second run with DEPLOYTOOL_TRACEBACK may not meet the bug again, so the first run keeps it.
    """
    import tempfile  # noqa: PLC0415  # see above

    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix="deploytool-bug-", suffix=".txt", delete=False
        ) as file:
            file.write(text)
    except OSError:
        return f"the traceback that {TRACEBACK}=1 prints"
    return file.name


if __name__ == "__main__":
    sys.exit(main())
