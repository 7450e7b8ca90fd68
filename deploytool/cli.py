"""The command line: what may be typed, and how every error ends. Commands are imported when they are run."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploytool import __version__
from deploytool.core.errors import DeploytoolError

COMMANDS = {
    "lint": "check the configuration, the graph and the templates; no AWS call",
    "plan": "show what a deployment would do",
    "deploy": "deploy what differs, in dependency order",
    "status": "show what is deployed, and whether a drill was left unfinished",
    "outputs": "show the stacks' outputs",
    "check": "resolve the domain, call it, say which region served",
    "drill": "force the primary to fail, measure the failover, restore",
    "restore": "put right what an interrupted drill left behind",
    "destroy": "delete the stacks, in reverse order",
    "report": "judge and render a drill's history again, without any cloud",
    "local": "the local cloud: up, down, status, env, run, stop-region, start-region",
}
INTERRUPTED = 130
DEBUG = "DEPLOYTOOL_DEBUG"


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="deploytool", description="Put an API in two AWS regions, and prove that it fails over."
    )
    parser.add_argument("--version", action="version", version=f"deploytool {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    common = _common()
    made = {
        name: commands.add_parser(name, help=words, description=words, parents=[common])
        for name, words in COMMANDS.items()
        if name != "local"
    }
    made["deploy"].add_argument(
        "--stack", action="append", default=[], metavar="STACK", help="only this stack; the others stay as they are (repeatable)"
    )
    made["destroy"].add_argument("--yes", action="store_true", help="do not ask for the domain to be typed")
    for name in ("drill", "report"):
        made[name].add_argument(
            "--report-dir", type=Path, default=Path("reports"), metavar="DIR", help="where the report goes (default: reports)"
        )
    made["report"].add_argument("history", type=Path, help="the history.jsonl of a drill")
    _local(
        commands.add_parser(
            "local", help=COMMANDS["local"], description="A cloud on this machine: no AWS account, loopback only."
        )
    )
    return parser


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--stage", metavar="S", help="the stage; needed when the configuration has several")
    common.add_argument("--region", action="append", default=[], metavar="R", help="only this region (repeatable)")
    common.add_argument("--local", action="store_true", help="use the local cloud instead of AWS")
    common.add_argument("--output", choices=("text", "json"), default="text", help="the form of the result on standard output")
    common.add_argument(
        "--config",
        type=Path,
        default=Path("deploytool.toml"),
        metavar="FILE",
        help="the configuration (default: deploytool.toml)",
    )
    common.add_argument("--no-color", action="store_true", help="no colours (NO_COLOR is heeded too)")
    return common


def _local(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--output", choices=("text", "json"), default="text")
    common.add_argument("--config", type=Path, default=Path("deploytool.toml"), metavar="FILE")
    common.add_argument("--no-color", action="store_true")
    made = {
        name: actions.add_parser(name, help=words, description=words, parents=[common])
        for name, words in {
            "up": "start one in the background",
            "down": "end it; no process is left",
            "status": "show its addresses and its health checks",
            "env": "print what to export so that any AWS tool talks to it",
            "run": "start a private one on free ports, run a command with it, end it",
            "stop-region": "make a region's edge refuse connections",
            "start-region": "let it serve again",
        }.items()
    }
    for name in ("up", "run"):
        made[name].add_argument(
            "--speed", type=float, default=1.0, metavar="N", help="its seconds pass N times faster (default: 1, real time)"
        )
        made[name].add_argument(
            "--durations",
            choices=("none", "aws"),
            default="none",
            help="aws: resources take about as long as on AWS, by a model (default: none, they are made at once)",
        )
        made[name].add_argument(
            "--durations-scale", type=float, default=1.0, metavar="N", help="with --durations aws: N times as long (default: 1)"
        )
    made["run"].add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND", help="the command, after --")
    for name in ("stop-region", "start-region"):
        made[name].add_argument("name", metavar="REGION")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 good, 1 the answer is no, 2 bad input, 3 AWS refused, 130 interrupted."""
    args = build_parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        module = import_module(f"deploytool.commands.{args.command}")
        return int(module.run(args))
    except DeploytoolError as error:
        _complain(str(error), error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # a bug; the trace is for us, not for the user
        if os.environ.get(DEBUG):
            raise
        _complain(f"unexpected {type(error).__name__}: {error}", f"this is a bug of deploytool; {DEBUG}=1 shows where")
        return 1


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM is Ctrl-C: what was begun is cleaned up."""
    raise KeyboardInterrupt


def _complain(message: str, hint: str = "") -> None:
    for line in message.splitlines() or [""]:
        print(f"error: {line}", file=sys.stderr)
    if hint:
        print(f"  hint: {hint}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
