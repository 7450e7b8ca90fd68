"""The files that are left out of a package: docs/how-to/package-a-function.md has the list."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

# Names of files and folders, anywhere below an artifact's folder, that no function needs. Most are
# made by tools: to package them would change the package with every test run. Others hold secrets.
LEFT_OUT = (
    # Version control
    ".git",
    ".gitignore",
    ".gitattributes",
    ".hg",
    ".svn",
    # What Python's tools make
    "__pycache__",
    "*.pyc",
    ".venv",
    ".tox",
    ".nox",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".coverage",
    # Editors and systems
    ".idea",
    ".vscode",
    "*.swp",
    "*~",
    ".DS_Store",
    "Thumbs.db",
    # Settings of a developer's machine, and secrets
    ".env",
    ".env.*",
    ".envrc",
    ".aws",
    ".ssh",
    ".netrc",
    ".pypirc",
    # Ours
    ".deploytool",
)

# Names that a build may need, with passwords of registries for example, and a function does not.
ONLY_FOR_BUILDS = (".npmrc", ".yarnrc", ".yarnrc.yml", "pip.conf")

# What a build installs itself. A copy from the developer's machine may be of another platform.
MADE_BY_BUILDS = ("node_modules",)

# What npm writes beside the packages. It says how they were installed, and no code reads it.
NPM_NOTES = ("node_modules/.package-lock.json", "node_modules/.bin", "node_modules/.cache")

LEFT_OUT_OF_PACKAGES = (*LEFT_OUT, *ONLY_FOR_BUILDS, *NPM_NOTES)
LEFT_OUT_OF_BUILDS = (*LEFT_OUT, *MADE_BY_BUILDS)


def is_left_out(path: str, patterns: Sequence[str]) -> bool:
    """Return whether a pattern names this path. Its folders are asked separately.

    A pattern with a slash is compared with the whole path, another with the last name of it. `*`
    stands for any text, as in a shell.
    """
    name = path.rpartition("/")[2]
    for pattern in patterns:
        subject = path if "/" in pattern else name
        if fnmatchcase(subject, pattern):
            return True
    return False
