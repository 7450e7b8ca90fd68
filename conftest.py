"""What holds for all tests."""

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

ROOT = Path(__file__).resolve().parent
# Its tests share a local cloud, so they run one after the other in one process of `make test`.
TOGETHER = "tests/localcloud/"
# Each of these tests has a local cloud of its own, so each may run in another process.
APART = "tests/soak/test_proofs.py"
# What takes longest. `make test` begins with it, so that all processes end together.
LONGEST = (
    APART,
    "tests/workflows/",
    "tests/taskcat/",
    "tests/docs/test_running.py",
    "tests/endtoend/",
    "failover_tests/",
    TOGETHER,
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what the end-to-end tests of deploytool take. Their own conftest is read too late."""
    parser.addoption(
        "--quotas",
        choices=("none", "aws"),
        default="none",
        help="how many requests the APIs of their local clouds take (default: any number)",
    )


def pytest_configure() -> None:
    """Give the processes that tests start the same surroundings everywhere.

    They keep their bytecode: without it each command compiles two hundred modules, which is half of
    its processor time. They hear SIGHUP, which `nohup make test` would let them ignore.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests in a process of `make test`.

    In a single process a developer wants to see the quick ones first.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    for place, folder in enumerate(LONGEST):
        if item.nodeid.startswith(folder):
            return place
    return len(LONGEST)


class _Scheduling(LoadScopeScheduling):
    """Divides the tests between the processes by file, some by themselves.

    pytest-xdist 3.8 has `--dist loadgroup` for this, but ignores the groups with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(APART):
            return nodeid
        return TOGETHER if nodeid.startswith(TOGETHER) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)  # it exists only while pytest-xdist is on
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> LoadScopeScheduling:
    """Keep the tests of a file in one process."""
    return _Scheduling(config, log)
