"""Whether what pip installed is complete for the function's Python.

pip chooses the wheels of another platform where it is asked to, but judges conditions such as
`python_version < "3.13"` and `sys_platform == "linux"` by the Python that runs it (pypa/pip#11664).
A package that only the function needs is then left out without a word.
"""

from collections.abc import Iterator
from email.parser import BytesHeaderParser

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from deploytool.core.project.package import Files
from deploytool.core.project.platform import MACHINES, Platform
from deploytool.core.project.recipes import REQUIREMENTS


def missing_packages(files: Files, requirements: str, platform: Platform) -> Iterator[str]:
    """Yield what the function's platform requires and the package lacks, as messages.

    `requirements` is the text of requirements.txt.
    """
    if platform.python is None or platform.local:
        return
    installed: dict[str, list[str]] = {}
    for path, content in files.contents.items():
        if path.count("/") == 1 and path.endswith(".dist-info/METADATA"):
            metadata = BytesHeaderParser().parsebytes(content)
            name = canonicalize_name(str(metadata["Name"]))
            installed[name] = [str(line) for line in metadata.get_all("Requires-Dist", [])]

    needs = {REQUIREMENTS: requirements.splitlines()} | installed
    for source, lines in needs.items():
        for line in lines:
            requirement = _requirement(line)
            if requirement is None or not _is_needed(requirement, platform):
                continue
            if canonicalize_name(requirement.name) not in installed:
                requirement.marker = None
                yield (
                    f"{source} needs {requirement} on {platform}, and pip judged by this machine"
                    f" and left it out; add '{requirement}' to {REQUIREMENTS}, without a condition"
                )


def _requirement(line: str) -> Requirement | None:
    """Return a line as a requirement, None for an option, a comment, or an address."""
    text = line.partition(" #")[0].partition(" --hash")[0].strip().rstrip("\\").strip()
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def _is_needed(requirement: Requirement, platform: Platform) -> bool:
    """Return whether the platform needs a requirement that no extra asks for."""
    if requirement.marker is None or platform.python is None:
        return True
    major, minor = platform.python
    own = {key: str(value) for key, value in default_environment().items()}
    environment = own | {
        "python_version": f"{major}.{minor}",
        "python_full_version": f"{major}.{minor}.0",
        "implementation_version": f"{major}.{minor}.0",
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": MACHINES[platform.architecture],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    return requirement.marker.evaluate(environment)
