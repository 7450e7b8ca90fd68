"""The arguments of `deploytool bootstrap`."""

from argparse import ArgumentParser
from dataclasses import dataclass

from deploytool.commands.arguments.base import StageArguments, add_wait


@dataclass(frozen=True)
class BootstrapArguments(StageArguments):
    """The arguments of `deploytool bootstrap`. `wait` is in seconds."""

    repository: str | None
    branch: str
    oidc_provider_arn: str | None
    wait: float
    show: bool
    destroy: bool
    yes: bool

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "--repository",
            metavar="OWNER/REPO",
            help="the repository whose workflows may assume the roles, like octo-org/hello;"
            " with ids: OWNER@ID/REPO@ID",
        )
        parser.add_argument(
            "--branch",
            default="main",
            help="the branch whose workflows may plan (default: main)",
        )
        parser.add_argument(
            "--oidc-provider-arn",
            metavar="ARN",
            help="GitHub's identity provider in the account (default: find it, else create it)",
        )
        add_wait(parser)
        parser.add_argument(
            "--show",
            action="store_true",
            help="print the permissions that the stacks of the project add to the roles, and end",
        )
        parser.add_argument("--destroy", action="store_true", help="delete the roles")
        parser.add_argument(
            "--yes",
            action="store_true",
            help="with --destroy: do not ask to type the stack's name",
        )
