"""A function's code as a zip: the same files have the same key everywhere."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from deploytool.core.errors import DeploytoolError

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
UNIX = 3  # the system on which an entry was made; the permissions below count only there
FILE = 0o100644  # a regular file, rw-r--r--
EXECUTABLE = 0o100755  # a regular file, rwxr-xr-x
LEVEL = 9  # of the compression, the best

# Bytes of all files together. Lambda refuses the function with "Unzipped size must be smaller than
# 262144000 bytes", and counts the function's layers too (Lambda Developer Guide, "Lambda quotas").
# Its limit of 50 MB for the zip is for uploads to Lambda itself, and does not count for S3.
UNZIPPED_LIMIT = 262_144_000

# What a package has instead of a hash before it is built.
NOT_BUILT = "0" * 64


@dataclass(frozen=True)
class Files:
    """The files of a folder: their contents by path with slashes, and which can be executed."""

    contents: Mapping[str, bytes]
    executables: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        """The bytes of all files together."""
        return sum(len(content) for content in self.contents.values())


@dataclass(frozen=True)
class Package:
    """The files of a function, and the hash of them.

    The hash is of the files and not of the zip: versions of zlib compress the same bytes
    differently, and the key must be the same on every machine.
    """

    name: str  # of the artifact in the graph file
    sha256: str  # hexadecimal
    files: Files = field(repr=False, compare=False)

    @property
    def key(self) -> str:
        """The key in the bucket. The same code has the same key, so it is stored once."""
        return f"{self.name}/{self.sha256}.zip"

    @property
    def version(self) -> str:
        """The short form that users see."""
        return self.sha256[:12]

    @cached_property
    def data(self) -> bytes:
        """The zip file, made when it is first needed. Its files are sorted, without times and owners.

        Raises DeploytoolError for a package that this command does not build.
        """
        if self.sha256 == NOT_BUILT:
            raise DeploytoolError(f"artifact {self.name} is not built")
        return zip_of(self.files)


def build_package(
    name: str, contents: Mapping[str, bytes], executables: AbstractSet[str] = frozenset()
) -> Package:
    """Return the package of an artifact; `contents` are by path with slashes."""
    files = Files(contents, frozenset(executables))
    return Package(name, hash_of(files), files)


def not_built(name: str) -> Package:
    """Return what stands for the package of an artifact in a command that does not need it."""
    return Package(name, NOT_BUILT, Files({}))


def hash_of(files: Files) -> str:
    """Return the SHA-256 of the files: of each path, whether it can be executed, and the content."""
    whole = hashlib.sha256()
    for path in sorted(files.contents):
        content = hashlib.sha256(files.contents[path]).hexdigest()
        kind = "x" if path in files.executables else "-"
        whole.update(f"{kind} {content} {path}\n".encode())
    return whole.hexdigest()


def zip_of(files: Files) -> bytes:
    """Return a compressed zip of the files. Lambda unpacks it with the permissions that it holds."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for path in sorted(files.contents):
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.create_system = UNIX
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = EXECUTABLE if path in files.executables else FILE
            entry.external_attr = mode << 16  # the upper half holds the permissions
            archive.writestr(entry, files.contents[path], compresslevel=LEVEL)
    return buffer.getvalue()


def files_in(data: bytes) -> Files:
    """Return the files of a zip that `zip_of` made."""
    contents: dict[str, bytes] = {}
    executables: set[str] = set()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            contents[entry.filename] = archive.read(entry)
            if entry.external_attr >> 16 & 0o100:
                executables.add(entry.filename)
    return Files(contents, frozenset(executables))
