"""GitHub's evaluator of expressions, npm's @actions/expressions, in a Node.js process."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def install() -> None:
    """Install the packages of package-lock.json, unless they are up to date."""
    installed = HERE / "node_modules" / ".package-lock.json"
    lock = HERE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True, capture_output=True
        )


@dataclass(frozen=True)
class Scope:
    """What an expression can refer to.

    `status` is success or failure; `workspace` is the folder in which hashFiles looks.
    """

    contexts: Mapping[str, Any]
    status: str
    workspace: Path


@dataclass(frozen=True)
class Evaluator:
    """Evaluates expressions by requests to the process."""

    process: "subprocess.Popen[str]"

    def text(self, value: str, scope: Scope) -> str:
        """Return the text with the value of every `${{ }}` in its place."""
        return str(self._ask("text", value, scope)) if "${{" in value else value

    def holds(self, condition: str, scope: Scope) -> bool:
        """Return the value of an `if`. An empty one is true while nothing has failed."""
        return bool(self._ask("condition", condition, scope))

    def _ask(self, kind: str, value: str, scope: Scope) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        request = {
            "kind": kind,
            "value": value,
            "contexts": scope.contexts,
            "status": scope.status,
            "workspace": str(scope.workspace),
        }
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["value"]


@contextmanager
def evaluator() -> Iterator[Evaluator]:
    """Yield an evaluator whose process ends with the block."""
    install()
    with subprocess.Popen(
        ["node", "expressions.mjs"],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Evaluator(process)
