"""A number in a mapped file, which the processes of one machine share."""

from __future__ import annotations

import fcntl
import mmap
import os
import threading
from pathlib import Path


class SharedNumber:
    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        os.ftruncate(self._file, 8)
        self._lock = threading.Lock()  # flock locks out processes, not threads
        self._words = memoryview(mmap.mmap(self._file, 8)).cast("Q")

    def get(self) -> int:
        value: int = self._words[0]
        return value

    def set(self, value: int) -> None:
        """Replace the number. Only one process may call this."""
        self._words[0] = value

    def bump(self) -> None:
        with self._lock:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                self._words[0] += 1
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)
