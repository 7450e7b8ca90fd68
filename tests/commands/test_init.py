"""`deploytool init`: a project in an empty or an existing folder, and a later version of its files."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploytool.cli import main
from deploytool.commands import init
from deploytool.core.project.config import parse_config
from deploytool.core.project.starter import MANIFEST, Answers, config_text
from deploytool.files.starter import read_starter

OPTIONS = ["--domain", "acme.example", "--regions", "eu-west-1,eu-central-1"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder whose name has a space, and which is the current one."""
    folder = tmp_path / "My API"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_configuration_says_where_each_stage_answers() -> None:
    """Its first line names the schema, for editors."""
    assert config_text(Answers("hello", "example.com", ("us-east-1", "us-west-2"))) == (
        "#:schema infra/schemas/deploytool.schema.json\n"
        "# One API in two AWS regions. `deploytool plan --stage dev` shows what this would create.\n"
        'project = "hello"\n'
        'domain = "example.com"                  # a domain that you own\n'
        'regions = ["us-east-1", "us-west-2"]    # the primary first\n'
        "\n"
        "[stages.dev]                            # answers at https://dev.example.com/v1\n"
        "\n"
        "[stages.prod]                           # answers at https://example.com/v1\n"
    )


def test_a_project_is_written_that_lints(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its name is that of the folder; domain and regions are those of the options, everywhere."""
    assert main(["init", *OPTIONS]) == 0
    config = parse_config((folder / "deploytool.toml").read_text(), "deploytool.toml")
    assert (config.project, config.regions) == ("my-api", ("eu-west-1", "eu-central-1"))
    assert config.stage("dev").domain == "dev.acme.example"
    assert "deploytool local up" in capsys.readouterr().out
    for path, content in files_of(folder).items():
        if path.startswith(".") or path.endswith(".toml"):
            assert b"us-east-1" not in content, path
            assert b"example.com" not in content, path
    assert main(["lint"]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--domain is missing"),
        (["--domain", "no_domain"], "--domain: "),
        (["--domain", "a.example", "--regions", "us-east-1"], "two different regions"),
        (["--domain", "a.example", "--regions", "us-east-1,mars"], "'mars' is not an AWS region"),
        (["--domain", "a.example", "--project", "X"], "--project: 'X' must be"),
        (["--domain", "a.example", "--stage", "a-b"], "--stage: 'a-b' must be"),
    ],
)
def test_bad_answers_write_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    """The exit code is 2, and the message names the option."""
    assert main(["init", *options]) == 2
    assert message in capsys.readouterr().err
    assert not files_of(folder)


def test_nothing_is_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is there stays, and is named. A second project in the folder is refused."""
    (folder / ".gitignore").write_text("mine\n")
    (folder / "infra").mkdir()
    (folder / "infra" / "api.yaml").write_text("mine\n")
    assert main(["init", *OPTIONS, "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["kept"] == ["infra/api.yaml"]
    assert (folder / "infra" / "api.yaml").read_text() == "mine\n"
    assert (folder / ".gitignore").read_text() == "mine\n"
    before = files_of(folder)
    assert main(["init", *OPTIONS]) == 2
    assert "is there already" in capsys.readouterr().err
    assert files_of(folder) == before


def test_the_stages_and_the_zone_are_those_of_the_options(folder: Path) -> None:
    """A stage named prod answers at the domain itself."""
    stages = ["--stage", "qa", "--stage", "prod", "--zone", "existing", "--project", "orders"]
    assert main(["init", *OPTIONS, *stages]) == 0
    config = parse_config((folder / "deploytool.toml").read_text(), "deploytool.toml")
    assert list(config.stages) == ["qa", "prod"]
    assert config.stage("prod").settings == {"zone": "existing"}


def test_a_folder_of_a_larger_repository_gets_no_workflows(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """GitHub would not read them there."""
    subprocess.run(["git", "init", "-q", folder.parent], check=True)
    assert main(["init", *OPTIONS]) == 0
    assert "no workflows" in capsys.readouterr().out
    assert not (folder / ".github").exists()


@pytest.fixture
def updated(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """A project of an earlier version; the one that runs has three other files."""
    assert main(["init", *OPTIONS]) == 0
    newer = read_starter()
    newer["infra/api.yaml"] += b"# newer\n"
    newer["infra/lambda.yaml"] += b"# newer\n"
    newer["infra/new.yaml"] = b"# new\n"
    newer["infra/network.yaml"] += b"# newer\n"
    monkeypatch.setattr(init, "read_starter", lambda: newer)
    (folder / "infra" / "lambda.yaml").write_text("mine\n")
    (folder / "infra" / "network.yaml").unlink()
    return folder


def test_an_update_brings_what_the_user_has_not_changed(
    updated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It shows the difference, writes with --yes, and leaves what was changed or deleted."""
    before = files_of(updated)
    capsys.readouterr()
    assert main(["init", "--update"]) == 0
    shown = capsys.readouterr().out
    assert "+# newer" in shown
    assert "deploytool init --update --yes" in shown
    assert files_of(updated) == before

    assert main(["init", "--update", "--yes", "--output", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    fates = {path: fate for path, fate in document["files"].items() if fate != "same"}
    assert fates == {
        "infra/api.yaml": "updated",
        "infra/new.yaml": "added",
        "infra/lambda.yaml": "changed",
        "infra/network.yaml": "deleted",
    }
    after = files_of(updated)
    assert after["infra/api.yaml"].endswith(b"# newer\n")
    assert after["infra/new.yaml"] == b"# new\n"
    assert after["infra/lambda.yaml"] == b"mine\n"
    assert "infra/network.yaml" not in after

    assert main(["init", "--update", "--yes"]) == 0
    assert "Nothing to bring" in capsys.readouterr().out
    assert files_of(updated) == after


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1, "files": {}}', "[" * 5000])
def test_a_broken_note_of_init_is_refused(
    updated: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """Without it nothing tells what the user has changed."""
    (updated / MANIFEST).write_text(text)
    before = files_of(updated)
    assert main(["init", "--update", "--yes"]) == 2
    assert MANIFEST in capsys.readouterr().err
    assert files_of(updated) == before


def test_what_cannot_be_written_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Here a file has the name of a folder."""
    (folder / "infra").write_text("a file\n")
    assert main(["init", *OPTIONS]) == 1
    assert "infra/" in capsys.readouterr().err


def test_a_terminal_is_asked_for_what_the_options_lack(folder: Path) -> None:
    """A wrong answer is asked for again; without credentials the account offers nothing."""
    answers = b"\nnot a domain\nacme.example\n\n"
    done = in_terminal(["init"], answers, folder)
    assert "The name of the project" in done
    assert "are not known" in done
    config = parse_config((folder / "deploytool.toml").read_text(), "deploytool.toml")
    assert (config.project, config.regions) == ("my-api", ("us-east-1", "us-west-2"))


def in_terminal(words: list[str], typed: bytes, folder: Path) -> str:
    """Run deploytool in a terminal of its own, without credentials; return what it shows."""
    environment: dict[str, Any] = {
        name: value for name, value in os.environ.items() if not name.startswith("AWS_")
    }
    environment |= {"HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "deploytool", *words],
        cwd=folder,
        env=environment,
        stdin=child,
        stdout=child,
        stderr=child,
    )
    os.close(child)
    os.write(parent, typed)
    shown = b""
    while True:
        try:
            part = os.read(parent, 4096)
        except OSError:  # the other end is closed: the process has ended
            break
        if not part:
            break
        shown += part
    os.close(parent)
    assert process.wait() == 0, shown.decode()
    return shown.decode()
