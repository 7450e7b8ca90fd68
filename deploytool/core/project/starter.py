"""The files of a new project, made from those of deploytool's own, and what an update does to them.

Pure. `deploytool init` writes the files of deploytool's repository with another project, domain and
regions. It notes the digest of each file that it writes, so that a later version knows which of them
the user has changed.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deploytool.core.errors import InputError
from deploytool.core.project.config import PRODUCTION

MANIFEST = ".deploytool-init.json"
CONFIG = "deploytool.toml"
REQUIREMENTS = "requirements.txt"
IGNORED = ".gitignore"

# What the starter's files say where a project says its own.
_DOMAIN = "example.com"
REGIONS = ("us-east-1", "us-west-2")
_WITH_REGIONS = (".cfnlintrc.yaml", ".taskcat.yml", "tests/taskcat/deploytool.toml")
_WITH_DOMAIN = (".taskcat.yml", "tests/taskcat/deploytool.toml")

_COMMENT_COLUMN = 40
# Files that a user's repository should not hold.
_IGNORED = ".deploytool/\nreports/\n.venv/\n__pycache__/\n.pytest_cache/\ntaskcat_outputs/\n"


@dataclass(frozen=True)
class Answers:
    """What a project says of itself: its name, its domain, two regions, and its stages.

    `zone` is the setting of that name for every stage: new, existing or external.
    """

    project: str
    domain: str
    regions: tuple[str, str]
    stages: tuple[str, ...] = ("dev", PRODUCTION)
    zone: str = "new"


def config_text(answers: Answers) -> str:
    """Return deploytool.toml of a project."""
    primary, secondary = answers.regions
    first = answers.stages[0]
    plan = f"`deploytool plan --stage {first}` shows what this would create."
    lines = [
        "#:schema infra/schemas/deploytool.schema.json",
        f"# One API in two AWS regions. {plan}",
        f'project = "{answers.project}"',
        _commented(f'domain = "{answers.domain}"', "a domain that you own"),
        _commented(f'regions = ["{primary}", "{secondary}"]', "the primary first"),
    ]
    for stage in answers.stages:
        own = "" if stage == PRODUCTION else f"{stage}."
        where = f"answers at https://{own}{answers.domain}/v1"
        lines += ["", _commented(f"[stages.{stage}]", where)]
        if answers.zone != "new":
            lines.append(f'settings = {{ zone = "{answers.zone}" }}')
    return "\n".join(lines) + "\n"


def _commented(code: str, comment: str) -> str:
    return f"{code:<{_COMMENT_COLUMN - 1}} # {comment}"


def project_files(starter: Mapping[str, bytes], answers: Answers, version: str) -> dict[str, bytes]:
    """Return the files of a project by path, from those of deploytool's own.

    `version` is that of deploytool, which the project's pipeline installs.
    """
    files = {path: _adapted(path, content, answers) for path, content in starter.items()}
    files[CONFIG] = config_text(answers).encode()
    requirements = "# The version that the pipeline installs, with what requirements.lock has."
    files[REQUIREMENTS] = f"{requirements}\ndeploytool=={version}\n".encode()
    files[IGNORED] = _IGNORED.encode()
    return files


def _adapted(path: str, content: bytes, answers: Answers) -> bytes:
    """Return a file of the starter with the domain and the regions of a project."""
    replaced: dict[str, str] = {}
    if path in _WITH_REGIONS:
        replaced |= dict(zip(REGIONS, answers.regions, strict=True))
    if path in _WITH_DOMAIN:
        replaced[_DOMAIN] = answers.domain
    if not replaced:
        return content
    # All at once: the regions of a project may be those of the starter in the other order
    pattern = re.compile("|".join(re.escape(word) for word in replaced))
    return pattern.sub(lambda found: replaced[found[0]], content.decode()).encode()


class Fate(StrEnum):
    """What an update does with a file."""

    SAME = "same"  # it is as this version has it
    ADDED = "added"  # this version has it and the one before had not
    UPDATED = "updated"  # the user has not changed it, and this version has
    CHANGED = "changed"  # the user has changed it, so it is left
    DELETED = "deleted"  # the user has deleted it, so it is left out


@dataclass(frozen=True)
class Manifest:
    """What `init` wrote: the version of deploytool, and the digest of each file."""

    version: str
    digests: Mapping[str, str]

    def to_json(self) -> str:
        """Return the text of the file."""
        document = {"version": self.version, "files": dict(sorted(self.digests.items()))}
        return json.dumps(document, indent=1) + "\n"


def manifest_of(files: Mapping[str, bytes], version: str) -> Manifest:
    """Return the manifest of files as they were written."""
    return Manifest(version, {path: digest(content) for path, content in files.items()})


def digest(content: bytes) -> str:
    """Return what tells the content of a file from another."""
    return hashlib.sha256(content).hexdigest()


def parse_manifest(text: str) -> Manifest:
    """Return the manifest of a file. Raises InputError when it is none."""
    try:
        document: Any = json.loads(text)
        files = document["files"]
        is_one = isinstance(document["version"], str) and all(
            isinstance(value, str) for value in files.values()
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_one = False
    if not is_one:
        raise InputError(
            f"{MANIFEST}: is not what `deploytool init` wrote",
            hint="bring it back from the repository's history",
        )
    return Manifest(document["version"], files)


def fate_of(path: str, new: bytes, current: bytes | None, manifest: Manifest) -> Fate:
    """Return what an update does with a file; `current` is None for one that is not there."""
    written = manifest.digests.get(path)
    if current is None:
        return Fate.ADDED if written is None else Fate.DELETED
    if current == new:
        return Fate.SAME
    return Fate.UPDATED if digest(current) == written else Fate.CHANGED


def diff_lines(path: str, before: bytes, after: bytes) -> Sequence[str]:
    """Return the difference of two texts, as `diff -u` prints it."""
    lines = difflib.unified_diff(
        before.decode(errors="replace").splitlines(),
        after.decode(errors="replace").splitlines(),
        f"a/{path}",
        f"b/{path}",
        lineterm="",
    )
    return list(lines)
