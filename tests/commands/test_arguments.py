"""The arguments of the commands: what the parser accepts, and what importing them costs."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import pytest

from deploytool import cli
from deploytool.commands.arguments import local
from deploytool.commands.arguments.base import Arguments
from deploytool.commands.arguments.deploy import DeployArguments

SLOW_MODULES = {"boto3", "botocore", "rich", "jinja2", "requests", "dns", "yaml"}
HELPS = [["--help"], *([name, "--help"] for name in [*cli.COMMANDS, "local"])]


def parse(*words: str) -> Arguments:
    """Parse a command line as `cli.main` does."""
    namespace = cli.build_parser(words).parse_args(words)
    arguments: Arguments = namespace.arguments.parse(namespace)
    return arguments


@pytest.mark.parametrize("words", HELPS, ids=" ".join)
def test_help_imports_no_slow_module(words: list[str]) -> None:
    """`--help` of deploytool and of each command prints without the modules that do the work."""
    script = (
        "import sys, json\n"
        "from deploytool.cli import build_parser\n"
        f"try: build_parser({words!r}).parse_args({words!r})\n"
        "except SystemExit: pass\n"
        "sys.stderr.write(json.dumps([name.partition('.')[0] for name in sys.modules]))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert process.stdout.startswith("usage: deploytool")
    assert SLOW_MODULES & set(json.loads(process.stderr)) == set()


@pytest.mark.parametrize("name", [*cli.COMMANDS, "local"])
def test_each_command_takes_its_own_arguments(name: str) -> None:
    """The `run` function of each command's module takes the class that the parser fills."""
    run = import_module(f"deploytool.commands.{name}").run
    expected = local.LocalArguments if name == "local" else cli.COMMANDS[name][0]
    assert get_type_hints(run) == {"arguments": expected, "return": int}


def test_repeated_options_are_collected() -> None:
    """--region and --stack may be repeated; the values cannot change afterwards."""
    arguments = parse("deploy", "--region", "a", "--region", "b", "--stack", "api")
    assert isinstance(arguments, DeployArguments)
    assert arguments.regions == ("a", "b")
    assert arguments.stacks == ("api",)
    assert arguments.config == Path("deploytool.toml")
    assert arguments.delegation_check is True


def test_each_local_action_has_a_class() -> None:
    """The words after `local` select the class, with the values of the action."""
    assert parse("local", "break", "r", "--how", "slow", "--seconds", "5") == local.Break(
        config=Path("deploytool.toml"),
        output="text",
        no_color=False,
        region="r",
        how=local.EdgeFault.SLOW,
        seconds=5.0,
        api=None,
    )
    both = parse("local", "break", "r", "--how", "refuse", "--api", "hang")
    assert isinstance(both, local.Break)
    assert (both.how, both.api) == (local.EdgeFault.REFUSE, local.ApiFault.HANG)
    fixes = [parse("local", "fix", "r", *more) for more in ([], ["--api"])]
    assert [fix.api_only for fix in fixes if isinstance(fix, local.Fix)] == [False, True]
    command = parse("local", "run", "--speed", "10", "--", "deploytool", "deploy", "--local")
    assert isinstance(command, local.Run)
    assert command.speed == 10.0
    assert command.command_line[-3:] == ("deploytool", "deploy", "--local")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["deploy", "--settle", "-1"], "--settle: must be 0 or more seconds"),
        (["deploy", "--delegation-timeout", "nan"], "must be 0 or more seconds"),
        (["deploy", "--wait", "long"], "--wait: 'long' is not a number"),
        (["drill", "--rate", "0"], "more than 0 and at most 100 requests a second"),
        (["drill", "--patience-seconds", "0"], "more than 0 and at most 86400 seconds"),
        (["drill", "--rto-seconds", "0"], "more than 0 and at most 86400 seconds"),
        (["drill", "--failed-share", "2"], "must be from 0 to 1"),
        (
            ["local", "break", "us-east-1", "--how", "x"],
            "choose from refuse, blackhole, slow, error",
        ),
        (["local", "break", "r", "--api", "x"], "choose from error, hang, unreachable"),
    ],
)
def test_a_bad_value_is_refused(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and a message that names the option."""
    with pytest.raises(SystemExit) as end:
        parse(*words)
    assert end.value.code == 2
    assert message in capsys.readouterr().err
