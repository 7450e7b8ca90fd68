"""The arguments of `deploytool graph`."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from deploytool.commands.arguments.base import StageArguments


@dataclass(frozen=True)
class GraphArguments(StageArguments):
    """The arguments of `deploytool graph`. `out` is None for standard output."""

    format: str
    out: Path | None

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "--format",
            choices=("mermaid", "svg"),
            default="mermaid",
            help="a Mermaid flowchart, which GitHub shows, or a picture (default: mermaid)",
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="write it to this file")
