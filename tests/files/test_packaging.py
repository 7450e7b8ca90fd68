"""The package of an artifact is what its folder is."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from deploytool.core.errors import InputError
from deploytool.core.project.ignored import LEFT_OUT_OF_PACKAGES
from deploytool.core.project.package import UNZIPPED_LIMIT, build_package
from tests.files.conftest import Sample


def test_an_executable_stays_executable(sample: Sample) -> None:
    """A tool in the folder can be run by the function, and other files cannot."""
    sample.write("handler.py")
    sample.write("bin/tool", "#!/bin/sh\n", executable=True)

    with zipfile.ZipFile(io.BytesIO(sample.package().data)) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}

    assert modes == {"bin/tool": 0o100755, "handler.py": 0o100644}


def test_a_file_that_becomes_executable_is_another_package(sample: Sample) -> None:
    """The key changes with the permissions, so that the function gets them."""
    path = sample.write("bootstrap", "#!/bin/sh\n")
    before = sample.package().key
    path.chmod(0o755)

    assert sample.package().key != before


def test_links_to_files_and_folders_are_followed(sample: Sample) -> None:
    """A link to a shared folder is replaced by what it leads to, also outside the project."""
    shared = sample.root / "shared"
    shared.mkdir()
    (shared / "common.py").write_text("NAME = 'shared'\n")
    sample.write("handler.py")
    (sample.folder / "common").symlink_to("../shared")
    (sample.folder / "again.py").symlink_to("handler.py")

    assert sample.files().contents == {
        "again.py": b"x = 1\n",
        "common/common.py": b"NAME = 'shared'\n",
        "handler.py": b"x = 1\n",
    }


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("../nowhere", "a symbolic link to ../nowhere, which cannot be followed"),
        ("link", "a symbolic link to link, which cannot be followed"),
        (".", "a symbolic link to a folder that contains it"),
    ],
)
def test_a_link_that_cannot_be_followed_is_refused(
    sample: Sample, target: str, problem: str
) -> None:
    """A link that leads nowhere, to itself or in a circle is a problem that names its path."""
    sample.write("handler.py")
    (sample.folder / "link").symlink_to(target)

    with pytest.raises(InputError) as error:
        sample.package()

    assert "artifacts.function.source: ../function/link: is" in str(error.value)
    assert problem in str(error.value)


def test_a_folder_may_be_linked_twice(sample: Sample) -> None:
    """Two links to one folder are no circle."""
    (sample.root / "shared").mkdir()
    (sample.root / "shared" / "x.py").write_text("")
    sample.write("handler.py")
    (sample.folder / "a").symlink_to("../shared")
    (sample.folder / "b").symlink_to("../shared")

    assert set(sample.files().contents) == {"a/x.py", "b/x.py", "handler.py"}


def test_what_is_no_file_is_refused(sample: Sample) -> None:
    """A named pipe cannot be packaged, and reading it would never end."""
    sample.write("handler.py")
    os.mkfifo(sample.folder / "pipe")

    with pytest.raises(InputError, match="function/pipe: is neither a file nor a folder"):
        sample.package()


def test_a_name_that_is_no_text_is_refused(sample: Sample) -> None:
    """A file whose name is not valid UTF-8 is a problem and no traceback."""
    sample.write("handler.py")
    Path(os.fsdecode(os.fsencode(sample.folder) + b"/\xff.py")).write_text("")

    with pytest.raises(InputError, match="has a name that a zip cannot hold"):
        sample.package()


@pytest.mark.parametrize(
    "name",
    [".env", ".env.local", ".git/config", "__pycache__/x.pyc", "sub/.env", ".npmrc", ".DS_Store"],
)
def test_secrets_and_leftovers_of_tools_are_left_out(sample: Sample, name: str) -> None:
    """What is on the ignore list is not in the package, and a change of it changes nothing."""
    sample.write("handler.py")
    before = sample.package().key
    sample.write(name, "SECRET=1")

    package = sample.package()
    assert set(package.files.contents) == {"handler.py"}
    assert package.key == before


def test_an_artifact_has_patterns_of_its_own(sample: Sample) -> None:
    """`ignore` takes names anywhere, and paths from the folder on."""
    for path in ("handler.py", "notes.md", "docs/notes.md", "tests/x.py", "lib/tests/y.py"):
        sample.write(path)
    sample.artifact = {"ignore": ["*.md", "lib/tests"]}

    assert set(sample.files().contents) == {"handler.py", "tests/x.py"}


def test_node_modules_without_a_lock_file_is_packaged(sample: Sample) -> None:
    """A folder that is installed by hand is packaged as it is."""
    sample.write("index.js")
    sample.write("node_modules/demo/index.js")

    assert "node_modules/demo/index.js" in sample.files().contents


def test_the_zip_is_compressed_and_the_same_each_time(sample: Sample) -> None:
    """Neither times nor the order of the folder are in the zip."""
    path = sample.write("handler.py", "x = 1\n" * 10_000)
    sample.write("a.py")
    first = sample.package().data
    os.utime(path, (0, 0))

    assert sample.package().data == first
    assert len(first) < 2_000


def test_a_package_over_the_limit_is_refused(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda refuses 262,144,000 bytes, after an upload of them. The limit here is made small."""
    monkeypatch.setattr("deploytool.files.builds.UNZIPPED_LIMIT", 100)
    sample.write("handler.py", "x" * 100)

    with pytest.raises(InputError, match="has 100 bytes unzipped; Lambda takes less than 100"):
        sample.package()
    assert UNZIPPED_LIMIT == 250 * 1024 * 1024


def test_the_key_is_of_the_files_and_not_of_the_zip() -> None:
    """Two machines whose zlib differs store the same code under the same key."""
    package = build_package("function", {"handler.py": b"x = 1\n"})

    # Written down, so that a change of the hash, which deploys every function again, is noticed.
    assert package.version == "552311d4ae0c"


def test_the_page_lists_what_is_left_out() -> None:
    """The list of docs/how-to/package-a-function.md is that of the code."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "package-a-function.md"
    table = page.read_text().partition("| kind | names |")[2].partition("\n## ")[0]

    listed = {name for line in table.splitlines() for name in line.split("`")[1::2]}

    assert listed == set(LEFT_OUT_OF_PACKAGES)
