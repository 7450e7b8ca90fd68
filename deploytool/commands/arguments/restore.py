"""The arguments of `deploytool restore`."""

from argparse import ArgumentParser
from dataclasses import dataclass

from deploytool.commands.arguments.base import StageArguments, add_pair


@dataclass(frozen=True)
class RestoreArguments(StageArguments):
    """The arguments of `deploytool restore`. `domain` is empty for a stage of a project."""

    domain: str
    zone_id: str

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        add_pair(parser)
