"""A function's code as a reproducible zip: the same files give the same bytes everywhere."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


@dataclass(frozen=True)
class Package:
    """A zip file and the hash of its content.

    `key` is its key in the bucket, and `version` the short form that is shown.
    """

    name: str
    data: bytes
    sha256: str

    @property
    def key(self) -> str:
        return f"{self.name}/{self.sha256}.zip"

    @property
    def version(self) -> str:
        return self.sha256[:12]


def build_package(name: str, files: Mapping[str, bytes]) -> Package:
    """Zip `files` (path with slashes -> content), sorted, without times, owners or compression.

    Not compressed, because zlib's versions give different bytes and a function of this size gains
    nothing.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.create_system = 3  # Unix, so that the permissions below count
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[path])
    data = buffer.getvalue()
    return Package(name, data, hashlib.sha256(data).hexdigest())
