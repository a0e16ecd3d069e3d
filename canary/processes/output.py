"""The output of a command: at most a few megabytes of it are kept, in a file."""

from __future__ import annotations

import os
import re
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

KEPT = 4_000_000
"""Bytes to keep from the start. After them, only the end is kept."""
CHUNK = 65_536
CHUNKS_AT_END = 4
TAIL_BYTES = 64_000
TAIL_LINES = 15
TAIL_COLUMNS = 300
#: The line in which a program says why it failed. Ansible prints a recap after it.
_CAUSE = re.compile(r"^(fatal: |\[ERROR\]|ERROR|Error: |error: |Traceback )")
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)")


class _Copy(Protocol):
    def write(self, chunk: bytes) -> None: ...


class LastLine:
    """The last line of what is written to it."""

    def __init__(self) -> None:
        self._end = b""

    def write(self, chunk: bytes) -> None:
        self._end = (self._end + chunk)[-TAIL_BYTES:]

    def __str__(self) -> str:
        lines = self._end.decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


class _Log:
    """A file that keeps the start and the end of what several threads write to it.

    A full disk loses output, and does not stop the command.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=0)
        self._kept = self._cut = 0
        self._end: deque[bytes] = deque(maxlen=CHUNKS_AT_END)
        self._lock = threading.Lock()

    def write(self, chunk: bytes) -> None:
        with self._lock:
            if self._file.closed:
                return
            if self._kept < KEPT:
                with suppress(OSError):
                    self._file.write(chunk)
                self._kept += len(chunk)
                return
            if len(self._end) == CHUNKS_AT_END:
                self._cut += len(self._end[0])
            self._end.append(chunk)

    def close(self) -> None:
        with self._lock, self._file, suppress(OSError):
            if self._cut:
                self._file.write(b"\n[%d bytes were cut here]\n" % self._cut)
            self._file.writelines(self._end)


class _Pipe:
    """A pipe whose reader never blocks the command that writes to it."""

    def __init__(self, *copies: _Copy) -> None:
        reader, self.writer = os.pipe()
        self._thread = threading.Thread(
            target=_read, args=(reader, copies), name="canary-output", daemon=True
        )
        self._thread.start()

    def started(self) -> None:
        """Leave the pipe to the command alone, so that it ends with the command."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def close(self) -> None:
        """Wait for the output in the pipe, but not for a process that left the command's group."""
        self.started()
        self._thread.join(timeout=1)


def _read(reader: int, copies: Sequence[_Copy]) -> None:
    with os.fdopen(reader, "rb", buffering=0) as source:
        while chunk := source.read(CHUNK):
            for copy in copies:
                copy.write(chunk)


class Output:
    """Both outputs of a command. ``printed`` gets a copy of its standard output."""

    def __init__(self, path: Path, printed: LastLine | None = None) -> None:
        self._log = _Log(path)
        errors = _Pipe(self._log)
        self._pipes = [errors, _Pipe(self._log, printed)] if printed else [errors]

    @property
    def stdout(self) -> int:
        return self._pipes[-1].writer

    @property
    def stderr(self) -> int:
        return self._pipes[0].writer

    def started(self) -> None:
        """Leave the pipes to the command alone."""
        for pipe in self._pipes:
            pipe.started()

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        self._log.close()


SILENT = " and printed nothing"
"""The end of a sentence about a command without output."""


def ending(log: Path) -> str:
    """Say where the output of a command is, and how it ends."""
    try:
        end = _tail(log)
    except OSError as error:  # a command can remove its own log
        return f"; its output cannot be read: {error}"
    return f"; its output is in {log} and ends with:{end}" if end else SILENT


def _tail(log: Path) -> str:
    """Return the last error in ``log``, or else its end; short, and safe for a terminal."""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - TAIL_BYTES))
        text = file.read().decode(errors="replace")
    lines = [plain(line) for line in text.splitlines()]
    causes = [number for number, line in enumerate(lines) if _CAUSE.match(line)]
    start = causes[-1] if causes else max(0, len(lines) - TAIL_LINES)
    return "".join(f"\n    {line}" for line in lines[start : start + TAIL_LINES])


def plain(line: str) -> str:
    """Return a line that is safe for a terminal, and not too long."""
    line = "".join(c if c.isprintable() else " " for c in _ESCAPES.sub("", line))
    return line if len(line) <= TAIL_COLUMNS else f"{line[:TAIL_COLUMNS]} [...]"
