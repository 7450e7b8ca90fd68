"""What a shell offers while a command line is typed, and the arguments of `deploytool completion`.

The shell calls `deploytool __complete WORDS` with what is typed so far, the last word being the one
under the cursor. Like `--help` it imports neither boto3 nor rich.
"""

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploytool.commands.arguments.base import Arguments, default_config

COMPLETE = "__complete"
SHELLS = ("bash", "zsh", "fish")


@dataclass(frozen=True)
class CompletionArguments(Arguments):
    """The arguments of `deploytool completion`."""

    shell: str

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        parser.add_argument("shell", choices=SHELLS, help="the shell to complete in")
        super().add_to(parser)


def candidates(
    words: Sequence[str], commands: Iterable[str], options: Mapping[str, Sequence[str] | None]
) -> list[str]:
    """Return the words that can stand where the last of `words` stands.

    `options` has each option of the command with its choices, None when it takes any value or none.
    """
    current = words[-1] if words else ""
    before = words[-2] if len(words) > 1 else ""
    known: Iterable[str]
    if len(words) <= 1:
        known = commands
    elif before in options:
        known = _values(before, words, options)
    else:
        known = options
    return [word for word in known if word.startswith(current)]


def _values(
    option: str, words: Sequence[str], options: Mapping[str, Sequence[str] | None]
) -> Sequence[str]:
    """Return the values of an option; its flags have none, and then options follow."""
    choices = options[option]
    if choices is not None:
        return choices
    if option == "--fault":
        return _faults()
    config = _config(words)
    if option == "--stage":
        stages = config.get("stages")
        return list(stages) if isinstance(stages, dict) else []
    if option == "--region":
        regions = config.get("regions")
        return list(map(str, regions)) if isinstance(regions, list) else []
    return list(options)


def _faults() -> Sequence[str]:
    """Return the faults of a drill: those that every target has, then those of the local cloud."""
    # Only here: every command imports this module
    from deploytool.commands.arguments.local import EdgeFault  # noqa: PLC0415
    from deploytool.core.project.drill_settings import AFTER_DEPLOY, NO_DRILL  # noqa: PLC0415

    everywhere = (fault for fault in AFTER_DEPLOY if fault != NO_DRILL)
    return (*everywhere, *EdgeFault)


def _config(words: Sequence[str]) -> dict[str, Any]:
    """Return the configuration, as far as it can be read: nothing may fail while one types."""
    import tomllib  # noqa: PLC0415  # as above

    path = default_config()
    if "--config" in words[:-1]:
        path = Path(words[words.index("--config") + 1])
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


SCRIPTS = {
    "bash": """\
# Put this into ~/.bashrc:  source <(deploytool completion bash)
_deploytool() {
    local IFS=$'\\n'
    COMPREPLY=($(deploytool __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _deploytool deploytool
""",
    "zsh": """\
# Put this into ~/.zshrc, below compinit:  source <(deploytool completion zsh)
_deploytool() {
    local -a found
    found=(${(f)"$(deploytool __complete "${words[@]:1:CURRENT-1}" 2>/dev/null)"})
    if (( ${#found} )); then compadd -- $found; else _files; fi
}
compdef _deploytool deploytool
""",
    "fish": """\
# Put this into ~/.config/fish/config.fish:  deploytool completion fish | source
function __deploytool_complete
    set -l typed (commandline -opc) (commandline -ct)
    deploytool __complete $typed[2..-1] 2>/dev/null
end
complete -c deploytool -a '(__deploytool_complete)'
""",
}
