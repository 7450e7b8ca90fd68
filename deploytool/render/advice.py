"""The commands that messages advise: a user copies them, so they name the target of this run."""

import re
from pathlib import Path
from shlex import quote

# The commands that take --local and --config. `lint` needs no target.
_COMMANDS = (
    "bootstrap", "check", "deploy", "destroy", "doctor", "drill", "failback", "failover", "logs", "outputs", "plan",
    "restore", "status",
)  # fmt: skip
_COMMAND = re.compile(rf"\bdeploytool (?:{'|'.join(_COMMANDS)})\b(?: --stage [\w-]+)?")
# What follows a command and belongs to it
_REST = re.compile(r"[^;,`\n]*")
_OPTION = re.compile(r"--[a-z-]+")


def options_of_run(*, local: bool, config: Path, default_config: Path) -> tuple[str, ...]:
    """Return the options that a command needs to work where this run works."""
    options: list[str] = []
    if config != default_config:
        options.append(f"--config {quote(str(config))}")
    if local:
        options.append("--local")
    return tuple(options)


def advised(text: str, options: tuple[str, ...]) -> str:
    """Return a text with those of the options added to each of our commands that it lacks."""

    def complete(match: re.Match[str]) -> str:
        rest = _REST.match(text, match.end())
        given = set(_OPTION.findall(rest[0])) if rest else set()
        missing = [option for option in options if option.split()[0] not in given]
        return " ".join((match[0], *missing))

    return _COMMAND.sub(complete, text) if options else text
