"""What holds for all tests."""

import os


def pytest_configure() -> None:
    """Let the processes that tests start keep their bytecode.

    Without it each command compiles two hundred modules, which is half of its processor time.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
