"""Writes wheels by hand, so that no test needs a package index."""

import zipfile
from pathlib import Path


def write_wheel(
    folder: Path, tags: str, files: dict[str, bytes], *, name: str = "demo", requires: str = ""
) -> None:
    """Write a wheel of version 1.0; `tags` are like cp313-cp313-manylinux_2_28_aarch64."""
    python, abi, platforms = tags.split("-")
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    if requires:
        metadata += f"Requires-Dist: {requires}\n"
    lines = [f"Tag: {python}-{abi}-{platform}" for platform in platforms.split(".")]
    wheel = "\n".join(["Wheel-Version: 1.0", "Root-Is-Purelib: false", *lines]) + "\n"
    info = f"{name}-1.0.dist-info"
    entries = {**files, f"{info}/METADATA": metadata.encode(), f"{info}/WHEEL": wheel.encode()}
    record = "".join(f"{path},,\n" for path in [*entries, f"{info}/RECORD"])
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-1.0-{tags}.whl", "w") as archive:
        for path, content in entries.items():
            archive.writestr(path, content)
        archive.writestr(f"{info}/RECORD", record)
