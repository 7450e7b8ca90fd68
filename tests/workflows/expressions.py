"""GitHub's own evaluator of expressions, npm's @actions/expressions, in a Node.js process of its
own.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def install() -> None:
    """Put what package-lock.json names into node_modules, unless it is there."""
    installed, lock = HERE / "node_modules" / ".package-lock.json", HERE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True, capture_output=True
        )


@dataclass(frozen=True)
class Scope:
    """What an expression sees: its contexts, whether anything has failed so far, and the folder
    where files are.
    """

    contexts: Mapping[str, Any]
    status: str
    workspace: Path


@dataclass(frozen=True)
class Evaluator:
    """Asks the process."""

    process: "subprocess.Popen[str]"

    def text(self, value: str, scope: Scope) -> str:
        """The text with every `${{ }}` in it replaced."""
        return str(self._ask("text", value, scope)) if "${{" in value else value

    def holds(self, condition: str, scope: Scope) -> bool:
        """Whether an `if` holds; an empty one does while nothing has failed."""
        return bool(self._ask("condition", condition, scope))

    def _ask(self, kind: str, value: str, scope: Scope) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        workspace = str(scope.workspace)
        request = {
            "kind": kind,
            "value": value,
            "contexts": scope.contexts,
            "status": scope.status,
            "workspace": workspace,
        }
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["value"]


@contextmanager
def evaluator() -> Iterator[Evaluator]:
    """The evaluator, for as long as the block runs."""
    install()
    with subprocess.Popen(
        ["node", "expressions.mjs"],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Evaluator(process)
