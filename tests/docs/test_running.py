"""The commands of tutorials and how-tos run as printed, in order, and print what the page shows."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, blocks
from tests.docs.session import Session, mismatch, run_block
from tests.endtoend.conftest import copy_project

DEPLOYTOOL = [sys.executable, "-m", "deploytool"]


# One page after the other on one local cloud. The page on costs deletes the stage.
PAGES = [
    "how-to/run-a-drill",
    "how-to/schedule-drills",
    "how-to/read-a-report",
    "how-to/fail-over",
    "how-to/plan-in-a-pull-request",
    "how-to/dns-elsewhere",
    "how-to/protect-prod",
    "reference/configuration",
    "how-to/costs",
]
# What a reader of these pages has done before. Without --local the commands take the target from the
# environment, so they run as they are printed for AWS.
START = (
    'deploytool local up --speed 20; eval "$(deploytool local env)"; export DEPLOYTOOL_TARGET=local'
)
DEPLOYED = "deploytool deploy --stage dev"


@pytest.fixture
def clouds(tmp_path: Path) -> Iterator[Path]:
    """A folder for local clouds. Each of them is ended, whatever happens."""
    folder = tmp_path / "clouds"
    folder.mkdir()
    yield folder
    for cloud in folder.iterdir():
        environment = {**os.environ, "DEPLOYTOOL_LOCAL_DIR": str(cloud)}
        command = [*DEPLOYTOOL, "local", "down"]
        subprocess.run(command, env=environment, capture_output=True, check=False)


@pytest.fixture
def session(tmp_path: Path, clouds: Path) -> Iterator[Session]:
    """A shell in a copy of the project."""
    for name in ("project", "scratch"):
        (tmp_path / name).mkdir()
    folder = copy_project(tmp_path / "project")
    environment = {"DEPLOYTOOL_LOCAL_DIR": str(clouds / "cloud")}
    session = Session(folder, environment, tmp_path / "scratch")
    yield session
    session.close()


def follow(session: Session, steps: list[Block]) -> None:
    """Run the blocks of commands, and compare each with the block of text that follows it."""
    output = ""
    for block in steps:
        if block.language == "text":
            missing = mismatch(block.text, output)
            assert not missing, f"{block}: {missing}\n--- printed by the command:\n{output}"
        elif block.is_shell and block.is_run:
            output = run_block(session, block)


@pytest.mark.timeout(600)
def test_the_local_tutorial_runs_as_printed(session: Session) -> None:
    """A reader who types what the page has sees what the page shows."""
    follow(session, blocks(ROOT / "docs/tutorials/local.md"))


@pytest.mark.timeout(600)
def test_the_tutorial_for_aws_runs_on_a_local_cloud(session: Session) -> None:
    """Its commands are those of the page, in their order, on another target."""
    assert session.run(START, 60).failures == ()
    follow(
        session,
        [block for block in blocks(ROOT / "docs/tutorials/own-domain.md") if block.runs_locally],
    )


@pytest.mark.timeout(600)
def test_the_how_tos_run_on_a_local_cloud(session: Session) -> None:
    """Each command works after those above it and those of the pages before."""
    assert session.run(f"{START}; {DEPLOYED}", 120).failures == ()
    for name in PAGES:
        page = ROOT / "docs" / f"{name}.md"
        follow(session, [block for block in blocks(page) if block.runs_locally])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["run-a-drill", "pipeline"])
def test_a_how_to_with_a_local_cloud_of_its_own_runs(session: Session, name: str) -> None:
    """These pages say how to start one."""
    page = ROOT / "docs/how-to" / f"{name}.md"
    (block,) = [block for block in blocks(page) if block.starts_a_cloud]
    follow(session, [block])


def test_each_page_with_such_blocks_is_in_the_list() -> None:
    """A marked block runs in a test."""
    marked = set()
    for page in (ROOT / "docs").rglob("*.md"):
        if any(block.runs_locally for block in blocks(page)):
            marked.add(str(page.relative_to(ROOT / "docs").with_suffix("")))
    assert marked - {"tutorials/own-domain"} == set(PAGES)


@pytest.mark.parametrize(
    ("printed", "output", "expected"),
    [
        ("a\n...\nd", "a\nb\nc\nd", ""),
        ("a\n...", "a\nb", ""),
        ("a\nc", "a\nb", "c"),
        ("a", "a\nb", "nothing after the last line, but 'b'"),
        ("took 1.5 s, 20 ms", "took 33.0 s,  4 ms", ""),
        ("127.0.0.11", "127.0.0.12", "127.0.0.11"),
        ("19 created", "18 created", "19 created"),
        ("id ... of 0243d35275c5", "id x y of 66ee9160b746", ""),
    ],
)
def test_what_is_printed_is_compared(printed: str, output: str, expected: str) -> None:
    """Durations and ids differ from run to run; addresses and counts do not."""
    assert mismatch(printed, output) == expected
