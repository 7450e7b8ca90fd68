"""What a command says first: the account, the caller, the addresses, and that this is not AWS."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploytool import cli
from deploytool.targets import target
from tests.aws.apis import Api, answering, forget_aws
from tests.aws.test_callers import ERROR, IDENTITY

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev]
"""
ACCOUNT = "AWS account 123456789012 as user me"
CHANGING = [
    ("plan",),
    ("deploy",),
    ("destroy", "--yes"),
    ("drill", "--yes"),
    ("restore",),
    ("failover",),
    ("failback",),
    ("bootstrap", "--repository", "octo-org/hello"),
]


@pytest.fixture
def aws(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[SimpleNamespace]:
    """An STS that knows the caller, and every other API that denies each call."""
    forget_aws(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    with (
        answering(200, IDENTITY) as sts,
        answering(403, ERROR.format("AccessDenied")) as rest,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL", rest.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        yield SimpleNamespace(sts=sts, rest=rest)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Return a function that runs a command and returns exit code, output and errors."""
    for name in ("infra", "lambda"):
        (tmp_path / name).symlink_to(ROOT / name)
    config = tmp_path / "deploytool.toml"
    config.write_text(CONFIG, encoding="utf-8")

    def run(*words: str) -> Any:
        code = cli.main([*words, "--config", str(config)])
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return run


@pytest.mark.parametrize("words", CHANGING, ids=[words[0] for words in CHANGING])
def test_a_command_that_changes_something_says_first_where(
    words: tuple[str, ...],
    aws: SimpleNamespace,
    run: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before the first call to another API than STS, and loudly that it is not AWS."""
    # Botocore takes half a second to tell the addresses, which other tests ask it for
    addresses = {"ssm": aws.rest.url}
    monkeypatch.setattr(target, "configured_endpoints", lambda _region: addresses)
    done = run(*words)
    assert done.code == 3, done.err
    lines = done.err.splitlines()
    assert lines[0] == ACCOUNT
    assert f"! NOT AWS: the calls go to {aws.rest.url}" in done.err
    assert done.err.index("NOT AWS") < done.err.index("error:")
    assert len(aws.sts.requests) == 1


def test_the_document_says_where(aws: SimpleNamespace, run: Callable[..., Any]) -> None:
    """That of an error too: a program may have asked with the wrong account."""
    role = "arn:aws:iam::123456789012:role/cfn"
    done = run("deploy", "--role-arn", role, "--output", "json")
    document = json.loads(done.out)["target"]
    assert document["account"] == "123456789012"
    assert document["caller"] == "arn:aws:iam::123456789012:user/me"
    assert document["service_role"] == role
    assert document["regions"] == ["us-east-1", "us-west-2"]
    assert document["endpoints"]["ssm"] == aws.rest.url
    assert document["not_aws"] == [aws.rest.url]
    assert f"{ACCOUNT}; CloudFormation acts as {role}" in done.err


def test_a_command_that_only_reads_does_not_ask_who_calls(
    aws: SimpleNamespace, run: Callable[..., Any]
) -> None:
    """It says that this is not AWS all the same."""
    done = run("outputs")
    assert "NOT AWS" in done.err
    assert ACCOUNT not in done.err
    assert aws.sts.requests == []


def test_refused_credentials_end_a_deployment_before_it_does_anything(
    aws: SimpleNamespace, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With exit code 3, after no call but that to STS."""
    with answering(403, ERROR.format("ExpiredToken")) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        done = run("deploy")
    assert done.code == 3
    assert re.search("hint: the credentials are invalid or expired", done.err)
    assert requests(aws.rest) == []


def requests(api: Api) -> list[str]:
    return [service for _, service, _ in api.requests]
