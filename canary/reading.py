"""Read files that anybody may have written, with a limit of size for each kind of file.

Only regular files are read: nobody may write to a pipe, and a device may have no end.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

MEGABYTE = 1_000_000
SMALL = 5
"""Megabytes of a file that a person wrote, or that one program wrote for another."""
CALIBRATION = 50
CANARY = 500
"""Megabytes of a recording; one of a thousand hosts over a day has about a tenth of it."""
OBJECT = 2_000
"""Megabytes of an object in a store, such as a release."""
RESPONSE = 200
"""Megabytes of a response of a source of metrics."""
GZIP = b"\x1f\x8b"
KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class TooLargeError(OSError):
    """The content is larger than the limit for its kind."""


def open_file(path: Path) -> BinaryIO:
    """Open a regular file.

    Raises:
        OSError: it cannot be opened, or is something else, which might never end.
    """
    _require_file(path.stat().st_mode)
    # without O_NONBLOCK, a pipe that took the file's place meanwhile would be waited for
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    try:
        _require_file(os.fstat(file.fileno()).st_mode)
    except OSError:
        file.close()
        raise
    return file


def read_bytes(path: Path, megabytes: int) -> bytes:
    """Return the content of a file of at most so many megabytes.

    Raises:
        OSError: it cannot be read, is no regular file, or is larger.
    """
    with open_file(path) as file:
        return read_all(file.read, megabytes)


def read_text(path: Path, megabytes: int) -> str:
    """Return the text of a file of at most so many megabytes.

    Raises:
        OSError: it cannot be read, is no regular file, is larger, or compressed.
        UnicodeDecodeError: it is not text.
    """
    content = read_bytes(path, megabytes)
    if content.startswith(GZIP):
        raise OSError("it is compressed; unpack it first: gunzip")
    return content.decode("utf-8")


def read_all(read: Callable[[int], bytes], megabytes: int) -> bytes:
    """Return all that ``read`` gives, unless it is larger."""
    parts, left = [], megabytes * MEGABYTE
    while part := read(min(left + 1, MEGABYTE)):
        parts.append(part)
        left -= len(part)
        if left < 0:
            raise TooLargeError(f"it is larger than {megabytes:,} MB")
    return b"".join(parts)


def read_json(text: str | bytes, refuse: Callable[[str], float] | None = None) -> Any:
    """Return the document in JSON ``text``; ``refuse`` gets NaN and infinities.

    Raises:
        ValueError: it is not JSON, is nested too deeply, or has a number of too many digits.
    """
    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply to be read") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno}, column {error.colno}") from error


def _require_file(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(f"it is {kind}, and only a file is read")
