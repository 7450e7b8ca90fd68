"""A function's code as a reproducible zip: the same files give the same bytes everywhere."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
UNIX = 3  # the system on which an entry was made; the permissions below count only there
PERMISSIONS = 0o644 << 16  # rw-r--r--, in the upper half of the external attributes


@dataclass(frozen=True)
class Package:
    """A zip file and the hash of its content."""

    name: str  # of the artifact in the graph file
    data: bytes
    sha256: str  # hexadecimal

    @property
    def key(self) -> str:
        """The key in the bucket. The same code has the same key, so it is stored once."""
        return f"{self.name}/{self.sha256}.zip"

    @property
    def version(self) -> str:
        """The short form that users see."""
        return self.sha256[:12]


def build_package(name: str, files: Mapping[str, bytes]) -> Package:
    """Return a zip of `files` (path with slashes -> content).

    The files are sorted, and have no times and owners.
    """
    buffer = io.BytesIO()
    # Not compressed: zlib's versions give different bytes, and a small function gains nothing.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.create_system = UNIX
            entry.external_attr = PERMISSIONS
            archive.writestr(entry, files[path])

    data = buffer.getvalue()
    return Package(name, data, hashlib.sha256(data).hexdigest())
