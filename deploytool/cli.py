"""The command line: what may be typed, and how every error ends. Commands are imported when they
are run.
"""

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
from deploytool.core.errors import DeploytoolError, InputError

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
    "bootstrap": "make the roles that GitHub Actions assumes, once an account and stage",
    "report": "judge and render a drill's history again, without any cloud",
    "local": "the local cloud: up, down, status, env, run, break, fix, delegate, undelegate, stop-region, start-region",
}
INTERRUPTED = 130
DELEGATION_TIMEOUT = 4 * 3600.0  # seconds
DEBUG = "DEPLOYTOOL_DEBUG"
# aws, or local as if --local were typed: what a pipeline runs is then the same on both
TARGET = "DEPLOYTOOL_TARGET"


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="deploytool",
        description="Put an API in two AWS regions, and prove that it fails over.",
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
        "--stack",
        action="append",
        default=[],
        metavar="STACK",
        help="only this stack; the others stay as they are (repeatable)",
    )
    made["deploy"].add_argument(
        "--scope",
        choices=("global", "regional", "secondary"),
        help="only stacks of this scope; what waits for another that is still to be deployed is left for a later run",
    )
    made["deploy"].add_argument(
        "--plan-file",
        type=Path,
        metavar="FILE",
        help="refuse to run when anything moved since `plan --out FILE`",
    )
    made["deploy"].add_argument(
        "--express",
        action="store_true",
        help="CloudFormation's express mode: do not wait until resources are ready",
    )
    made["deploy"].add_argument(
        "--parallel",
        action="store_true",
        help="change both regions at once, without checking the standby first",
    )
    made["deploy"].add_argument(
        "--settle",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long an updated standby may take to pass its check before the other region is touched (default: %(default).0f)",
    )
    made["plan"].add_argument(
        "--drift",
        action="store_true",
        help="also look for changes made outside CloudFormation (slow)",
    )
    made["plan"].add_argument(
        "--markdown",
        metavar="FILE",
        help="write the plan as Markdown for a pull request (- for stdout)",
    )
    made["plan"].add_argument(
        "--out", type=Path, metavar="FILE", help="keep the plan for `deploy --plan-file FILE`"
    )
    for name in ("deploy", "destroy", "bootstrap"):
        made[name].add_argument(
            "--wait",
            type=float,
            default=0.0,
            metavar="SECONDS",
            help="wait for another run on this stage (default: say who, end)",
        )
    for name in ("deploy", "destroy"):
        made[name].add_argument(
            "--role-arn",
            metavar="ARN",
            help="the service role with which CloudFormation acts (default: AWS_CFN_ROLE_ARN, else the caller's permissions)",
        )
    made["deploy"].add_argument(
        "--delegation-timeout",
        type=float,
        default=DELEGATION_TIMEOUT,
        metavar="SECONDS",
        help="how long to wait until a hosted zone that this run creates is delegated (default: %(default).0f)",
    )
    made["deploy"].add_argument(
        "--no-delegation-check",
        dest="delegation_check",
        action="store_false",
        help="ask for certificates without looking at the parent's name servers and CAA records",
    )
    made["destroy"].add_argument(
        "--delete-zone",
        action="store_true",
        help="delete the retained hosted zone too, when it holds no records of others",
    )
    _bootstrap(made["bootstrap"])
    made["destroy"].add_argument(
        "--yes", action="store_true", help="do not ask for the domain to be typed"
    )
    for name in ("drill", "report"):
        made[name].add_argument(
            "--report-dir",
            type=Path,
            default=Path("reports"),
            metavar="DIR",
            help="where the report goes (default: reports)",
        )
    _drill(made["drill"])
    made["report"].add_argument("history", type=Path, help="the history.jsonl of a drill")
    made["report"].add_argument(
        "other", type=Path, nargs="?", help="another drill's, to compare the first one with"
    )
    _local(
        commands.add_parser(
            "local",
            help=COMMANDS["local"],
            description="A cloud on this machine: no AWS account, loopback only.",
        )
    )
    return parser


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--stage", metavar="S", help="the stage; needed when the configuration has several"
    )
    common.add_argument(
        "--region", action="append", default=[], metavar="R", help="only this region (repeatable)"
    )
    common.add_argument(
        "--local",
        action="store_true",
        default=os.environ.get(TARGET) == "local",
        help=f"use the local cloud instead of AWS ({TARGET}=local does the same)",
    )
    common.add_argument(
        "--output",
        choices=("text", "json"),
        default="text",
        help="the form of the result on standard output",
    )
    common.add_argument(
        "--config",
        type=Path,
        default=Path("deploytool.toml"),
        metavar="FILE",
        help="the configuration (default: deploytool.toml)",
    )
    common.add_argument(
        "--no-color", action="store_true", help="no colours (NO_COLOR is heeded too)"
    )
    return common


def _bootstrap(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--repository",
        metavar="OWNER/REPO",
        help="the repository whose workflows may assume the roles; OWNER@ID/REPO@ID with ids",
    )
    parser.add_argument(
        "--branch", default="main", help="the branch whose workflows may plan (default: main)"
    )
    parser.add_argument(
        "--oidc-provider-arn",
        metavar="ARN",
        help="GitHub's identity provider (default: the account's, else a new one)",
    )
    parser.add_argument("--destroy", action="store_true", help="delete the roles again")
    parser.add_argument(
        "--yes",
        action="store_true",
        help="with --destroy: do not ask for the stack's name to be typed",
    )


def _drill(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fault",
        default="health-check",
        metavar="F",
        help="what to break: health-check (default), throttle, unmap; with --local also refuse, blackhole, slow, error",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        metavar="N",
        help="requests a second that each client makes (default: 10 locally, 1 on AWS)",
    )
    parser.add_argument(
        "--rto-seconds",
        type=_positive,
        metavar="N",
        help="the objective for the failover of clients",
    )
    parser.add_argument(
        "--failback-seconds", type=_positive, metavar="N", help="the objective for the failback"
    )
    parser.add_argument(
        "--failed-share",
        type=_share,
        metavar="X",
        help="the share of requests that may fail, from 0 to 1",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="check that a drill could begin, print its calls, change nothing",
    )
    parser.add_argument(
        "--no-guard", action="store_true", help="without what restores when this process cannot"
    )
    parser.add_argument(
        "--yes", action="store_true", help="do not ask for a protected stage's domain to be typed"
    )
    parser.add_argument(
        "--confirm",
        default="",
        metavar="DOMAIN",
        help="the protected stage's domain, typed beforehand: a pipeline's answer",
    )


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError("must be more than 0 and at most 86400 seconds")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return value


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= 100:
        raise argparse.ArgumentTypeError("must be more than 0 and at most 100 requests a second")
    return rate


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
            "break": "break a region's edge: its clients meet a region that has failed",
            "fix": "let a region's edge serve again",
            "stop-region": "break --how refuse: make a region's edge refuse connections",
            "start-region": "fix: let it serve again",
            "delegate": "point a domain at its hosted zone's name servers, or at others, as its registrar would",
            "undelegate": "let a domain's parent say that there is no such domain",
        }.items()
    }
    for name in ("up", "run"):
        made[name].add_argument(
            "--speed",
            type=float,
            default=1.0,
            metavar="N",
            help="its seconds pass N times faster (default: 1, real time)",
        )
        made[name].add_argument(
            "--no-delegation",
            action="store_true",
            help="leave new hosted zones undelegated, as before anyone was at the registrar",
        )
        made[name].add_argument(
            "--durations",
            choices=("none", "aws"),
            default="none",
            help="aws: resources take about as long as on AWS, by a model (default: none, they are made at once)",
        )
        made[name].add_argument(
            "--enforce-iam",
            action="store_true",
            help="refuse what the caller's policies do not allow; --local then takes AWS_ACCESS_KEY_ID and its companions",
        )
        made[name].add_argument(
            "--durations-scale",
            type=float,
            default=1.0,
            metavar="N",
            help="with --durations aws: N times as long (default: 1)",
        )
        made[name].add_argument(
            "--durations-seed",
            type=int,
            metavar="N",
            help="with --durations aws: each resource takes half to twice as long, by this seed",
        )
    for name in ("delegate", "undelegate"):
        made[name].add_argument("domain", metavar="DOMAIN")
    made["delegate"].add_argument("name_servers", nargs="*", metavar="NAMESERVER")
    made["run"].add_argument(
        "words", nargs=argparse.REMAINDER, metavar="COMMAND", help="the command, after --"
    )
    for name in ("break", "fix", "stop-region", "start-region"):
        made[name].add_argument("name", metavar="REGION")
    made["break"].add_argument(
        "--how",
        choices=("refuse", "blackhole", "slow", "error"),
        required=True,
        help="refuse connections, leave them without any answer, answer late, or answer 503",
    )
    made["break"].add_argument(
        "--seconds",
        type=float,
        default=0.0,
        metavar="N",
        help="how late a slow edge answers, in true seconds (default: 3)",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 good, 1 the answer is no, 2 bad input, 3 AWS refused, 130
    interrupted.
    """
    args = build_parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        _check_target()
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
        _complain(
            f"unexpected {type(error).__name__}: {error}",
            f"this is a bug of deploytool; {DEBUG}=1 shows where",
        )
        return 1


def _check_target() -> None:
    """Raises InputError for a target that there is not: a misspelt one must not end up on AWS."""
    if (target := os.environ.get(TARGET, "")) not in ("", "aws", "local"):
        raise InputError(f"{TARGET}={target}: the targets are aws and local")


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
