"""The modules of the switch's function, loaded as Lambda loads them: from the folder itself."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).parents[3] / "lambda" / "switch"


@pytest.fixture(scope="session", autouse=True)
def _on_the_path() -> Iterator[None]:
    """`lambda` is a keyword and its folders no packages, so the folder is on the path."""
    sys.path.insert(0, str(SOURCE))
    yield
    sys.path.remove(str(SOURCE))
    for name in [path.stem for path in SOURCE.glob("*.py")]:
        sys.modules.pop(name, None)


@pytest.fixture(scope="session")
def records(_on_the_path: None) -> ModuleType:
    return importlib.import_module("records")


@pytest.fixture(scope="session")
def transitions(_on_the_path: None) -> ModuleType:
    return importlib.import_module("transitions")


@pytest.fixture(scope="session")
def dnsclient(_on_the_path: None) -> ModuleType:
    return importlib.import_module("dnsclient")


@pytest.fixture(scope="session")
def function(_on_the_path: None) -> ModuleType:
    return importlib.import_module("switch")
