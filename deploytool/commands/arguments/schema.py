"""The arguments of `deploytool schema`."""

from argparse import ArgumentParser
from dataclasses import dataclass
from typing import Literal

from deploytool.commands.arguments.base import Arguments

Which = Literal["config", "stacks"]


@dataclass(frozen=True)
class SchemaArguments(Arguments):
    """The arguments of `deploytool schema`."""

    which: Which

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "which",
            choices=("config", "stacks"),
            help="config: the schema of deploytool.toml, with the settings that the project's graph"
            " file declares; stacks: that of the graph file, infra/stacks.yaml",
        )
