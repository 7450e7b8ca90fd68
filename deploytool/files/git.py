"""What git says of a folder."""

import subprocess
from pathlib import Path

TIMEOUT = 5.0  # seconds


def ask_git(folder: Path, *words: str) -> str:
    """Return what a git command prints in a folder, "" without a repository or without git."""
    try:
        process = subprocess.run(
            ["git", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return process.stdout.strip() if process.returncode == 0 else ""
