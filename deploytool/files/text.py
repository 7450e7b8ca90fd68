"""Reads the text of files that somebody else may have written, within limits."""

import stat
from pathlib import Path

from deploytool.core.errors import InputError, InputProblem

# Of a configuration, a graph, a template. CloudFormation takes templates of at most 1 MB
# (CloudFormation quotas, "Template body size in an Amazon S3 object").
MOST_BYTES = 4 * 1024 * 1024
# Of the history of a drill: several days at ten requests a second
MOST_HISTORY_BYTES = 512 * 1024 * 1024


def read_text(path: Path, fix: str, most: int = MOST_BYTES) -> str:
    """Return a file's text. Raises InputError, with the fix when it is no such file.

    Only a regular file is read: a pipe may never end, and neither does a device. `most` is in bytes.
    A byte-order mark, which some editors write, is not part of the text.
    """
    try:
        status = path.stat()
        problem = _problem(status.st_mode, status.st_size, most)
        if not problem:
            return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError([InputProblem(str(path), "", f"no such file; {fix}")]) from error
    except UnicodeDecodeError as error:
        message = f"cannot be read as UTF-8: {error.reason} at byte {error.start}; save it as UTF-8"
        raise InputError([InputProblem(str(path), "", message)]) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"cannot be read: {reason}; {fix}"
        raise InputError([InputProblem(str(path), "", message)]) from error
    raise InputError([InputProblem(str(path), "", f"{problem}; {fix}")])


def _problem(mode: int, size: int, most: int) -> str:
    """Return why a file is not read, "" when it is."""
    if stat.S_ISDIR(mode):
        return "cannot be read: it is a directory"
    if not stat.S_ISREG(mode):
        return "cannot be read: it is a pipe, a device or a socket, and no regular file"
    if size > most:
        return f"is too large: it has {size:,} bytes, and at most {most:,} are read"
    return ""
