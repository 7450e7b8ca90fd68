"""Native code in a package: whether the platform of the function can load it. Pure."""

import re
from collections.abc import Iterator

from deploytool.core.project.package import Files
from deploytool.core.project.platform import MACHINES, Platform

# An extension module of Python and the version that it is for, like
# _speedups.cpython-313-aarch64-linux-gnu.so; or the stable ABI, which has no version.
EXTENSION = re.compile(r".*\.(?:cpython-(?P<version>\d+)|abi3)(?:-[A-Za-z0-9_-]+)?\.so")

ELF = b"\x7fELF"
# e_machine, two bytes at offset 18 of an ELF file: EM_X86_64 and EM_AARCH64 (elf(5)).
ELF_MACHINES = {62: "x86_64", 183: "aarch64"}


def native_code_problems(files: Files, platform: Platform) -> Iterator[str]:
    """Yield the extension modules that the function's Python would not load.

    Only they are looked at: a package may carry other libraries for several platforms, and choose
    among them when it runs.
    """
    if platform.python is None or platform.architecture not in MACHINES:
        return
    major, minor = platform.python
    for path in sorted(files.contents):
        match = EXTENSION.fullmatch(path)
        if match is None:
            continue
        found = _machine(files.contents[path])
        wanted = MACHINES[platform.architecture]
        if match["version"] not in (None, f"{major}{minor}"):
            yield f"{path}: is not for {platform.runtime}, so the function cannot import it"
        elif found != wanted:
            yield f"{path}: is for {found}, and the function runs on Linux and {wanted}"


def _machine(content: bytes) -> str:
    """Return the processor that a shared library of Linux is for."""
    if not content.startswith(ELF) or len(content) < 20:
        return "another system than Linux"
    number = int.from_bytes(content[18:20], "little")
    return ELF_MACHINES.get(number, f"processor {number}")
