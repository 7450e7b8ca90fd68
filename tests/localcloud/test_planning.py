"""plan and deploy --plan-file on the session's cloud: change sets, drift and stale plans."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploytool.cli import main
from deploytool.localcloud.state import State

SECRET = "hunter2"
STACK = "planned-dev-queue"
CONFIG = """
project = "planned"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev.settings]
"""
GRAPH = """
settings: {timeout: 30, secret: x}
stacks:
  queue: {template: queue.yaml, scope: regional, parameters: {Timeout: {setting: timeout}, Secret: {setting: secret}}}
  reader: {template: reader.yaml, scope: regional, parameters: {Arn: {output: queue.Arn}}}
"""
QUEUE = """
Parameters: {Timeout: {Type: Number}, Secret: {Type: String, NoEcho: true}}
Resources:
  Queue: {Type: 'AWS::SQS::Queue', Properties: {VisibilityTimeout: !Ref Timeout}}
  Hidden: {Type: 'AWS::SSM::Parameter', Properties: {Type: String, Name: !Sub 'hidden-${AWS::Region}', Value: !Ref Secret}}
Outputs: {Arn: {Value: !GetAtt Queue.Arn}, Url: {Value: !Ref Queue}}
"""
READER = """
Parameters: {Arn: {Type: String}}
Resources: {Note: {Type: 'AWS::SSM::Parameter', Properties: {Type: String, Value: !Ref Arn}}}
"""


@pytest.fixture
def run(
    cloud: State,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str, str]]:
    """Run a command in a project of its own; returns exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEPLOYTOOL_LOCAL_DIR", str(cloud.ca.parent))
    (tmp_path / "infra").mkdir()
    for name, text in {"stacks.yaml": GRAPH, "queue.yaml": QUEUE, "reader.yaml": READER}.items():
        (tmp_path / "infra" / name).write_text(text)
    configure(timeout=30, secret=SECRET)

    def call(command: str, *arguments: str) -> tuple[int, str, str]:
        code = main([command, "--local", *arguments])
        captured = capsys.readouterr()
        assert SECRET not in captured.out + captured.err
        return code, captured.out, captured.err

    return call


def configure(**settings: object) -> None:
    """Write the stage's settings."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    Path("deploytool.toml").write_text(CONFIG + "\n".join(lines) + "\n")


def test_a_plan_is_refused_once_the_stacks_or_the_settings_change(
    run: Callable[..., tuple[int, str, str]], aws: Any
) -> None:
    """A plan is deployed once; a changed setting needs a new one, whose change sets are deleted."""
    code, out, _ = run("plan", "--out", "first.json")
    assert (code, "Stacks: 4 to create." in out) == (0, True)
    assert run("deploy", "--plan-file", "first.json")[0] == 0

    code, out, err = run("deploy", "--plan-file", "first.json")
    assert code == 1
    assert "queue@us-west-2: exists now" in err
    assert run("plan", "--out", "second.json")[1] == "Nothing to do: 4 stacks as desired.\n"

    configure(timeout=31, secret=SECRET)
    code, out, err = run("deploy", "--plan-file", "second.json")
    assert code == 1
    assert "queue@us-east-1: its template, settings or code changed since the plan" in err

    code, out, _ = run("plan", "--output", "json", "--out", "third.json", "--markdown", "plan.md")
    step = next(step for step in json.loads(out)["steps"] if step["stack"] == "queue")
    assert (code, step["action"], step["known_from"]) == (0, "update", "change set")
    assert [(change["logical_id"], change["effect"]) for change in step["resources"]] == [
        ("Queue", "update")
    ]
    assert [change["path"] for change in step["resources"][0]["properties"]] == [
        "VisibilityTimeout"
    ]
    assert "<b>queue</b> (us-east-1, us-west-2)" in Path("plan.md").read_text()
    assert SECRET not in "".join(path.read_text() for path in Path.cwd().glob("*.[jm]*"))
    for region in ("us-east-1", "us-west-2"):
        assert (
            aws.client("cloudformation", region).list_change_sets(StackName=STACK)["Summaries"]
            == []
        )

    code, out, _ = run("deploy", "--plan-file", "third.json", "--output", "json")
    assert code == 0
    times = {
        stack["stack"]: (stack["started"], stack["seconds"]) for stack in json.loads(out)["stacks"]
    }
    assert times["queue"][0] >= 0
    assert times["queue"][1] > 0

    url = aws.outputs(STACK)["Url"]
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "99"})
    aws.client("ssm").put_parameter(Name="hidden-us-east-1", Value="other", Overwrite=True)
    code, out, _ = run("plan", "--drift")
    assert code == 0
    assert "/VisibilityTimeout: expected 31, is 99" in out
    assert "/Value: expected (hidden: NoEcho), is (hidden: NoEcho)" in out
    assert "No drift in 3 of 4 deployed stacks." in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("plan", "--markdown", "-", "--output", "json"),
            "standard output already takes the JSON document",
        ),
        (("plan", "--out", "p.json", "--region", "us-east-1"), "a plan file covers every region"),
        (("plan", "--out", "no/such/p.json"), "cannot be written"),
        (("deploy", "--plan-file", "none.json"), "none.json: no such file"),
    ],
)
def test_an_impossible_request_is_bad_input(
    run: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...], message: str
) -> None:
    """The exit code is 2, and standard output has nothing, or with --output json the error."""
    code, out, err = run(*arguments)
    assert code == 2
    assert message in err
    if "json" in arguments:
        assert json.loads(out)["exit_code"] == 2
    else:
        assert out == ""
