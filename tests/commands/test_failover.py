"""`deploytool failover` and `failback` as a user runs them, on the simulated world."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploytool import cli
from deploytool.commands import _move
from deploytool.core.errors import ApiUnavailable
from deploytool.core.failover.records import SwitchRecord
from deploytool.simulated.example import SWITCHED
from deploytool.simulated.world import World

EAST, WEST = "us-east-1", "us-west-2"
ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev]
protected = {protected}
"""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a deployed switch, in place of the target."""
    world = World(SWITCHED)
    world.deploy_switch()

    @contextmanager
    def open_target(*_args: object, **_options: object) -> Iterator[Any]:
        yield SimpleNamespace(name="local", speed=1.0)

    monkeypatch.setattr(_move, "open_target", open_target)
    monkeypatch.setattr(_move, "move_ports", lambda *_: world.move_ports())
    monkeypatch.setattr("sys.stdin", StringIO())  # no terminal
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return world


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Return a function that runs a command and returns exit code, output and errors."""
    (tmp_path / "infra").symlink_to(ROOT / "infra")
    (tmp_path / "lambda").symlink_to(ROOT / "lambda")

    def run(*words: str, protected: bool = False) -> Any:
        config = tmp_path / "deploytool.toml"
        config.write_text(CONFIG.format(protected=str(protected).lower()), encoding="utf-8")
        code = cli.main([*words, "--config", str(config)])
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return run


def test_there_and_back(world: World, run: Callable[..., Any]) -> None:
    """Both exit with 0; the record has the user's reason, on one line."""
    there = run("failover", "--reason", "us-east-1\n is slow", "--output", "json")
    assert there.code == 0, there.err
    document = json.loads(there.out)
    assert (document["direction"], document["served_by"]) == ("failover", WEST)
    assert document["switch"]["why"] == "us-east-1 is slow"
    assert "@" in document["switch"]["who"]

    back = run("failback")
    assert back.code == 0, back.err
    assert "us-east-1 serves dev.example.com" in back.out


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_movement_that_does_not_arrive_ends_with_1(
    world: World, run: Callable[..., Any], output: str
) -> None:
    """The result says why, in JSON too, and the switch stays set."""
    done = run("failover", "--timeout", "5", "--output", output)
    assert done.code == 1
    if output == "json":
        assert "answers with us-east-1" in json.loads(done.out)["problem"]
    else:
        assert "has not moved to us-west-2 within 5 s" in done.out
        assert "deploytool failover --stage dev --config" in done.out
    record = world.standby.read(SwitchRecord)
    assert record is not None
    assert record.held


@pytest.mark.parametrize(
    ("direction", "region", "role"),
    [("failover", WEST, "secondary"), ("failback", EAST, "primary")],
)
def test_a_region_that_does_not_serve_gets_traffic_by_force_alone(
    world: World, run: Callable[..., Any], direction: str, region: str, role: str
) -> None:
    """Without --force it is refused with 1 and nothing is written; with it, it is warned of."""
    if direction == "failback":
        assert run("failover").code == 0
    before = world.standby.read(SwitchRecord)
    world.conditions[region] = "refused"
    refused = run(direction)
    assert refused.code == 1
    assert f"error: the {role}, {region}, does not serve" in refused.err
    assert world.standby.read(SwitchRecord) == before

    forced = run(direction, "--force", "--timeout", "5")
    assert f"! {region} does not serve" in forced.err
    record = world.standby.read(SwitchRecord)
    assert record is not None
    assert record.held is (direction == "failover")


@pytest.mark.parametrize("words", [(), ("--confirm", "example.org")])
def test_a_protected_stage_asks_for_its_domain(
    world: World, run: Callable[..., Any], words: tuple[str, ...]
) -> None:
    """Without a terminal it must be an option; a wrong one is refused with 2."""
    done = run("failover", *words, protected=True)
    assert done.code == 2
    assert "dev.example.com" in done.err
    assert world.standby.read(SwitchRecord) is None
    assert run("failover", "--confirm", "dev.example.com", protected=True).code == 0
    assert run("failback", "--yes", protected=True).code == 0


@pytest.mark.parametrize("words", [("--timeout", "0"), ("--timeout", "x"), ("--reason", 201 * "x")])
def test_bad_input_is_refused_before_anything(run: Callable[..., Any], words: Any) -> None:
    """The parser ends with 2."""
    with pytest.raises(SystemExit) as error:
        run("failover", *words)
    assert error.value.code == 2


def test_an_undeployed_stage_ends_with_1(world: World, run: Callable[..., Any]) -> None:
    """The hint says to deploy, on the same target."""
    world.standby.remove_all()
    done = run("failover", "--local")
    assert done.code == 1
    assert "us-west-2 knows nothing of stage dev" in done.err
    assert "hint: deploytool deploy --stage dev --config" in done.err


def test_a_refused_command_prints_json_too(world: World, run: Callable[..., Any]) -> None:
    """It is the document of every error."""
    world.conditions[WEST] = "refused"
    refused = run("failover", "--output", "json")
    document = json.loads(refused.out)
    assert "us-west-2, does not serve" in document["error"]
    assert document["exit_code"] == refused.code == 1


def test_a_dead_standby_region_ends_with_4(
    world: World, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what that means."""

    def dead(_kind: object) -> None:
        raise ApiUnavailable("reading the record: the API of us-west-2 did not answer", WEST)

    monkeypatch.setattr(world.standby, "read", dead)
    done = run("failover")
    assert done.code == 4
    assert "traffic cannot be moved by command" in done.err
    assert "automatic failover works without it" in done.err


def test_ctrl_c_ends_with_130(world: World, run: Callable[..., Any]) -> None:
    """The switch stays set, and the hint says how to go on or back."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    world.at(world.now() + 10, interrupt)
    done = run("failover")
    assert done.code == 130
    assert "interrupted; the switch stays set" in done.err
    assert "deploytool failback --stage dev --config" in done.err


def test_a_workflow_names_who_started_it(
    world: World, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user and the host of a runner would tell nothing."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert run("failover").code == 0
    record = world.standby.read(SwitchRecord)
    assert record is not None
    assert record.who == "octocat@github"
