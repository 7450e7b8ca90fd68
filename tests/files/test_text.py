"""Files that are no good to read are refused at once, with the reason."""

import os
from pathlib import Path

import pytest

from deploytool.core.errors import InputError
from deploytool.files.text import read_text


def refused(path: Path, **more: int) -> str:
    with pytest.raises(InputError) as caught:
        read_text(path, "make it", **more)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    """Also through a symbolic link, and with the most bytes that are allowed."""
    (tmp_path / "file").write_text("a text")
    (tmp_path / "link").symlink_to("file")
    assert read_text(tmp_path / "link", "make it", most=6) == "a text"


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    """Nobody may ever write into it."""
    os.mkfifo(tmp_path / "pipe")
    assert "it is a pipe, a device or a socket" in refused(tmp_path / "pipe")


def test_a_device_and_a_directory_are_refused(tmp_path: Path) -> None:
    """A device may never end."""
    assert "it is a pipe, a device or a socket" in refused(Path("/dev/zero"))
    assert "it is a directory" in refused(tmp_path)


def test_a_large_file_is_refused_with_its_size(tmp_path: Path) -> None:
    """The message has both numbers."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(5_000_000_000)  # it takes no room on the disk
    message = refused(tmp_path / "large")
    assert "it has 5,000,000,000 bytes, and at most 4,194,304 are read" in message


@pytest.mark.parametrize("content", [b"\xff\xfea\0", b"a\x80"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    """The message names the file and what to do. PowerShell writes the first of them, UTF-16."""
    (tmp_path / "file").write_bytes(content)
    message = refused(tmp_path / "file")
    assert message.startswith(f"{tmp_path / 'file'}: cannot be read as UTF-8")
    assert message.endswith("save it as UTF-8")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    """Notepad writes it. A TOML parser takes it for a fault where nothing is to be seen."""
    (tmp_path / "file").write_bytes(b"\xef\xbb\xbfproject = 1\r\n")
    assert read_text(tmp_path / "file", "make it") == "project = 1\n"


def test_a_missing_file_comes_with_the_fix(tmp_path: Path) -> None:
    """A name that no file can have is no traceback either."""
    assert "no such file; make it" in refused(tmp_path / "missing")
    assert "cannot be read" in refused(Path("a\0b"))
    assert "cannot be read" in refused(tmp_path / ("x" * 5000))
