"""A hook's output, stored beside the recording, at most a few megabytes of it."""

from __future__ import annotations

import os
import re
import threading
from collections import deque
from pathlib import Path
from typing import BinaryIO

KEPT = 4_000_000
"""Bytes to keep from the start. After them, only the end is kept."""
CHUNK = 65_536
CHUNKS_AT_END = 4
TAIL_BYTES = 64_000
TAIL_LINES = 15
TAIL_COLUMNS = 300
#: Where a program says why it fails; Ansible's recap comes after it and says nothing.
_CAUSE = re.compile(r"^(fatal: |\[ERROR\]|ERROR|Error: |error: |Traceback )")
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)")


class Output:
    """A pipe for a command's output, whose reader never blocks the command."""

    def __init__(self, log: Path) -> None:
        self._reader, self.pipe = os.pipe()
        self._log = log.open("wb")
        self._thread = threading.Thread(target=self._copy, name="canary-output", daemon=True)
        self._thread.start()

    def started(self) -> None:
        """Leave the pipe to the command alone, so that it ends with the command."""
        os.close(self.pipe)

    def close(self) -> None:
        """Wait for the output in the pipe, but not for a process that left the command's group."""
        self._thread.join(timeout=1)

    def _copy(self) -> None:
        with os.fdopen(self._reader, "rb", buffering=0) as source, self._log as log:
            _copy(source, log)


def _copy(source: BinaryIO, log: BinaryIO) -> None:
    kept, cut = 0, 0
    end: deque[bytes] = deque(maxlen=CHUNKS_AT_END)
    while chunk := source.read(CHUNK):
        if kept < KEPT:
            log.write(chunk)
            log.flush()
            kept += len(chunk)
            continue
        if len(end) == CHUNKS_AT_END:
            cut += len(end[0])
        end.append(chunk)
    if cut:
        log.write(b"\n[%d bytes were cut here]\n" % cut)
    log.writelines(end)


def tail(log: Path) -> str:
    """Return the last error in ``log``, or else its end; short, and safe for a terminal."""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - TAIL_BYTES))
        text = file.read().decode(errors="replace")
    lines = [_plain(line) for line in text.splitlines()]
    causes = [number for number, line in enumerate(lines) if _CAUSE.match(line)]
    start = causes[-1] if causes else max(0, len(lines) - TAIL_LINES)
    return "".join(f"\n    {line}" for line in lines[start : start + TAIL_LINES])


def _plain(line: str) -> str:
    line = "".join(c if c.isprintable() else " " for c in _ESCAPES.sub("", line))
    return line if len(line) <= TAIL_COLUMNS else f"{line[:TAIL_COLUMNS]} [...]"
