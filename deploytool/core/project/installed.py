"""What pip and uv install, made equal on every machine and put beside a function's files. Pure."""

from collections.abc import Mapping

from deploytool.core.errors import InputProblems
from deploytool.core.project.package import Files
from deploytool.core.project.recipes import REQUIREMENTS


def without_traces(installed: Files) -> Files:
    """Return what pip or uv installed, without what differs from machine to machine.

    Scripts in bin/ name this machine's Python in their first line. INSTALLER, REQUESTED and
    direct_url.json say how a package was installed. RECORD lists them all.
    """
    contents: dict[str, bytes] = {}
    for path, content in installed.contents.items():
        if not _is_trace(path):
            is_record = path.endswith(".dist-info/RECORD")
            contents[path] = _without_traces(content) if is_record else content
    return Files(contents, installed.executables & contents.keys())


def _without_traces(record: bytes) -> bytes:
    kept: list[str] = []
    for line in sorted(record.decode().splitlines()):
        path = line.partition(",")[0]
        if not _is_trace(path):
            kept.append(line)
    return "".join(f"{line}\n" for line in kept).encode()


def _is_trace(path: str) -> bool:
    name = path.rpartition("/")[2]
    if ".dist-info/" in path:
        return name in ("INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
    return path.startswith(("bin/", "../../bin/")) or path == ".lock"


def beside(source: Files, installed: Files, key: str, problems: InputProblems) -> Files:
    """Return the function's own files with the installed ones; a file of both is a problem."""
    contents: Mapping[str, bytes] = {**installed.contents, **source.contents}
    for path in sorted(source.contents.keys() & installed.contents.keys()):
        if source.contents[path] != installed.contents[path]:
            problems.add(key, f"{path} is in the folder and in what {REQUIREMENTS} installs")
    return Files(contents, source.executables | installed.executables)
