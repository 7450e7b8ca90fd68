"""The arguments of `deploytool local`: one class for each of its actions."""

import argparse
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from deploytool.commands.arguments.base import Arguments, number, sentence
from deploytool.core.errors import suggestion

Durations = Literal["none", "aws"]
Quotas = Literal["none", "aws"]


class EdgeFault(StrEnum):
    """What `deploytool local break` can do to a region's edge."""

    REFUSE = "refuse"
    BLACKHOLE = "blackhole"
    SLOW = "slow"
    ERROR = "error"


class ApiFault(StrEnum):
    """What `deploytool local break` can do to a region's AWS API."""

    ERROR = "error"
    HANG = "hang"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class StartArguments(Arguments):
    """How a local cloud is started.

    `speed` is how many of its seconds pass in one second. `durations_scale` multiplies the
    durations of the model that `durations` selects, and `durations_seed` varies them. `left_out`
    are resource types for which nothing is created.
    """

    speed: float
    delegate: bool
    durations: Durations
    durations_scale: float
    durations_seed: int | None
    enforce_iam: bool
    quotas: Quotas
    left_out: tuple[str, ...]

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "--speed",
            type=number,
            default=1.0,
            metavar="N",
            help="run the cloud's clock N times faster than real time (default: 1)",
        )
        parser.add_argument(
            "--no-delegation",
            dest="delegate",
            action="store_false",
            help="do not delegate new hosted zones, as if nobody had told the registrar",
        )
        parser.add_argument(
            "--durations",
            choices=("none", "aws"),
            default="none",
            help="how long resources take to create: no time, or about as long as on AWS"
            " (default: none)",
        )
        parser.add_argument(
            "--durations-scale",
            type=number,
            default=1.0,
            metavar="N",
            help="with --durations aws: multiply the durations by N (default: 1)",
        )
        parser.add_argument(
            "--durations-seed",
            type=int,
            metavar="N",
            help="with --durations aws: multiply each by a random factor from 0.5 to 2,"
            " with this seed",
        )
        parser.add_argument(
            "--enforce-iam",
            action="store_true",
            help="refuse what the caller's policies do not allow;"
            " --local then uses the credentials of the AWS_* variables",
        )
        parser.add_argument(
            "--quotas",
            choices=("none", "aws"),
            default="none",
            help="how many requests the APIs take: any number, or as many as AWS (default: none)",
        )
        parser.add_argument(
            "--leave-out",
            dest="left_out",
            action="append",
            default=[],
            metavar="TYPE",
            help="create nothing for a resource type, like AWS::WAFv2::WebACLAssociation,"
            " which the local cloud lacks; repeatable",
        )


class Up(StartArguments):
    """Start the local cloud in the background."""


@dataclass(frozen=True)
class Run(StartArguments):
    """Start a private local cloud and run one command with it."""

    command_line: tuple[str, ...]

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "command_line",
            nargs=argparse.REMAINDER,
            metavar="-- COMMAND",
            help="the command to run, and its arguments",
        )


class Down(Arguments):
    """End the local cloud."""


class Status(Arguments):
    """Show the local cloud."""


class Env(Arguments):
    """Print the environment variables of the local cloud."""


@dataclass(frozen=True)
class RegionArguments(Arguments):
    """The arguments of an action on one region."""

    region: str

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument("region", metavar="REGION", help="the region, like us-east-1")


@dataclass(frozen=True)
class Break(RegionArguments):
    """Break a region's edge, its AWS API, or both; None leaves a part as it is.

    `seconds`: how late a slow edge answers, 0 for the default.
    """

    how: EdgeFault | None
    seconds: float
    api: ApiFault | None

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "--how",
            type=_edge_fault,
            metavar="FAULT",
            help="break the edge: refuse: refuse connections; blackhole: let them time out;"
            " slow: answer late; error: answer 503",
        )
        parser.add_argument(
            "--seconds",
            type=number,
            default=0.0,
            metavar="N",
            help="with --how slow: answer N seconds late, in wall time (default: 3)",
        )
        parser.add_argument(
            "--api",
            type=_api_fault,
            metavar="FAULT",
            help="break the AWS API: error: answer 503; hang: never answer;"
            " unreachable: close each connection. That of us-east-1 takes Route 53, IAM and"
            " CloudFront with it, also where the project has other regions",
        )


class StopRegion(RegionArguments):
    """Break a region's edge as `break --how refuse` does."""


@dataclass(frozen=True)
class Fix(RegionArguments):
    """Let a region serve again. `api_only` leaves its edge as it is."""

    api_only: bool

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "--api",
            dest="api_only",
            action="store_true",
            help="fix the AWS API and leave the edge as it is (default: fix both)",
        )


@dataclass(frozen=True)
class DomainArguments(Arguments):
    """The arguments of an action on the delegation of one domain."""

    domain: str

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument("domain", metavar="DOMAIN", help="the domain, like dev.example.com")


@dataclass(frozen=True)
class Delegate(DomainArguments):
    """Point a domain at name servers; at those of its hosted zone when none is given."""

    name_servers: tuple[str, ...]

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "name_servers",
            nargs="*",
            metavar="NAMESERVER",
            help="the name servers (default: those of the domain's hosted zone)",
        )


class Undelegate(DomainArguments):
    """Remove the delegation of a domain."""


LocalArguments = Up | Run | Down | Status | Env | Break | StopRegion | Fix | Delegate | Undelegate
# The actions in the order in which the help lists them
ACTIONS: dict[str, tuple[type[LocalArguments], str]] = {
    "up": (Up, "start the local cloud in the background"),
    "down": (Down, "end the local cloud and every process that it started"),
    "status": (Status, "show its addresses, edges, AWS APIs and health checks"),
    "env": (Env, "print the variables that point any AWS tool at it, as shell commands"),
    "run": (Run, "start a private local cloud, run a command with it, end it"),
    "break": (Break, "break a region's edge, its AWS API, or both, as if the region had failed"),
    "fix": (Fix, "let a region's edge serve and its AWS API answer again"),
    "stop-region": (StopRegion, "the same as `break --how refuse`"),
    "start-region": (Fix, "the same as `fix`"),
    "delegate": (Delegate, "point a domain at name servers, as its registrar would"),
    "undelegate": (Undelegate, "remove a domain from its parent zone"),
}


def _edge_fault(text: str) -> EdgeFault:
    try:
        return EdgeFault(text)
    except ValueError:
        known = ", ".join(EdgeFault)
        raise ArgumentTypeError(
            f"{text!r} is not a fault of an edge; choose from {known}{suggestion(text, EdgeFault)}"
        ) from None


def _api_fault(text: str) -> ApiFault:
    try:
        return ApiFault(text)
    except ValueError:
        known = ", ".join(ApiFault)
        raise ArgumentTypeError(
            f"{text!r} is not a fault of an API; choose from {known}{suggestion(text, ApiFault)}"
        ) from None


def add_actions(parser: ArgumentParser) -> None:
    """Add the actions to the parser of `deploytool local`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, (arguments, summary) in ACTIONS.items():
        action = actions.add_parser(name, help=summary, description=sentence(summary))
        arguments.add_to(action)
