"""What `deploytool init` prints."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploytool.core.project.starter import Answers, Fate
from deploytool.render.text import escape

EXPLAINED = {
    Fate.ADDED: "[green]new[/]      {path}",
    Fate.UPDATED: "[green]update[/]   {path}",
    Fate.CHANGED: "[yellow]yours[/]    {path}: you have changed it, so it stays",
    Fate.DELETED: "[dim]deleted[/]  {path}: you have deleted it, so it stays away",
}


def written_lines(
    answers: Answers, folder: Path, written: Sequence[str], kept: Sequence[str]
) -> list[str]:
    """Return what was written and what to do next."""
    primary, secondary = answers.regions
    url = f"https://{escape(answers.domain)}/v1"
    lines = [
        f"[bold]{escape(answers.project)}[/]: {url} in {primary} and {secondary}",
        f"  in     {escape(str(folder))}",
    ]
    places = Counter(_place(path) for path in written)
    for place, count in places.items():
        files = f"  ({count} files)" if count > 1 else ""
        lines.append(f"  wrote  {escape(place)}{files}")
    lines += [f"  [yellow]left[/]   {escape(path)}: it was there already" for path in kept]
    return lines


def _place(path: str) -> str:
    """Return the folder at the top of a path, or the file that stands there."""
    first, slash, _rest = path.partition("/")
    return first + slash


def next_lines(answers: Answers, *, is_here: bool, folder: Path) -> list[str]:
    """Return the commands with which a new user goes on."""
    stage = answers.stages[0]
    enter = [] if is_here else [f"  cd {escape(str(folder))}"]
    return [
        "Next:",
        *enter,
        "  deploytool local up --speed 10                 a local cloud, ten times as fast",
        f"  deploytool deploy --local --stage {stage}",
        f"  deploytool drill --local --stage {stage}",
        "  deploytool local down",
        f"  deploytool plan --stage {stage}                    what it would create in your account",
    ]


def update_lines(fates: Mapping[str, Fate]) -> list[str]:
    """Return a line for each file that an update touches or leaves to the user."""
    lines = []
    for path, fate in fates.items():
        if fate in EXPLAINED:
            lines.append("  " + EXPLAINED[fate].format(path=escape(path)))
    return lines
