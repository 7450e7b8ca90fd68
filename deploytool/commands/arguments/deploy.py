"""The arguments of `deploytool plan`, `deploy` and `destroy`."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from deploytool.commands.arguments.base import StageArguments, add_role_arn, add_wait, seconds

DELEGATION_TIMEOUT = 4 * 3600.0  # seconds; a registrar's change takes minutes to hours
SETTLE = 60.0  # seconds


@dataclass(frozen=True)
class PlanArguments(StageArguments):
    """The arguments of `deploytool plan`. `markdown` is a path, or "-" for standard output."""

    drift: bool
    adopt: bool
    replace_domain: bool
    markdown: str | None
    out: Path | None

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "--drift",
            action="store_true",
            help="also detect changes made outside CloudFormation (takes minutes)",
        )
        _add_adopt(parser)
        _add_replace_domain(parser)
        parser.add_argument(
            "--markdown",
            metavar="FILE",
            help="write the plan as Markdown, for a pull request (- for standard output)",
        )
        parser.add_argument(
            "--out",
            type=Path,
            metavar="FILE",
            help="write the plan to a file for `deploy --plan-file`",
        )


@dataclass(frozen=True)
class DeployArguments(StageArguments):
    """The arguments of `deploytool deploy`. `wait`, `settle`, `delegation_timeout` are seconds."""

    stacks: tuple[str, ...]
    scope: str | None
    plan_file: Path | None
    adopt: bool
    replace_domain: bool
    yes: bool
    repair: bool
    express: bool
    parallel: bool
    settle: float
    wait: float
    role_arn: str | None
    delegation_timeout: float
    delegation_check: bool

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        _add_selection(parser)
        _add_adopt(parser)
        _add_replace_domain(parser)
        parser.add_argument(
            "--yes", action="store_true", help="with --adopt: do not ask to type the domain"
        )
        parser.add_argument(
            "--repair",
            action="store_true",
            help="also compare the resources of each stack with its template, and bring back what"
            " was changed or deleted outside CloudFormation (AWS only; takes minutes)",
        )
        _add_rollout(parser)
        add_wait(parser)
        add_role_arn(parser)
        parser.add_argument(
            "--delegation-timeout",
            type=seconds,
            default=DELEGATION_TIMEOUT,
            metavar="SECONDS",
            help="how long to wait for the delegation of a hosted zone that this run creates"
            " (default: %(default).0f)",
        )
        parser.add_argument(
            "--no-delegation-check",
            dest="delegation_check",
            action="store_false",
            help="request certificates without checking the delegation and the CAA records",
        )


def _add_adopt(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--adopt",
        action="store_true",
        help="take over stacks that have the names of this stage's stacks and that deploytool did"
        " not make for it; what is not in the templates is deleted from them",
    )


def _add_replace_domain(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--replace-domain",
        action="store_true",
        help="let the stage's domain change in place: the former one is taken away from its"
        " clients in both regions at once",
    )


def _add_selection(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--stack",
        dest="stacks",
        action="append",
        default=[],
        metavar="STACK",
        help="deploy only this stack (repeatable)",
    )
    parser.add_argument(
        "--scope",
        choices=("global", "regional", "secondary"),
        help="deploy only the stacks of this scope; a stack that needs one of another scope"
        " that is not up to date is left for a later run",
    )
    parser.add_argument(
        "--plan-file",
        type=Path,
        metavar="FILE",
        help="fail if anything has changed since `plan --out FILE`",
    )


def _add_rollout(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--express",
        action="store_true",
        help="use CloudFormation's express mode, which does not wait until resources are ready",
    )
    parser.add_argument(
        "--parallel",
        action="store_true",
        help="update both regions at once, without checking the standby region first",
    )
    parser.add_argument(
        "--settle",
        type=seconds,
        default=SETTLE,
        metavar="SECONDS",
        help="how long the updated standby region may take to pass its check"
        " (default: %(default).0f)",
    )


@dataclass(frozen=True)
class DestroyArguments(StageArguments):
    """The arguments of `deploytool destroy`. `wait` is in seconds."""

    wait: float
    role_arn: str | None
    delete_zone: bool
    yes: bool

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        add_wait(parser)
        add_role_arn(parser)
        parser.add_argument(
            "--delete-zone",
            action="store_true",
            help="also delete the retained hosted zone, unless it has records of others",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask to type the domain")
