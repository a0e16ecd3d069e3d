"""Repeat an action in a thread during a test."""

from __future__ import annotations

import threading
from typing import Self


class Repeater:
    """A context manager: calls ``look`` every ``pause`` seconds; ``looks`` counts the calls."""

    pause = 0.1

    def __init__(self) -> None:
        self.looks = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(timeout=30)

    def look(self) -> None:
        raise NotImplementedError

    def _repeat(self) -> None:
        while not self._end.wait(self.pause):
            self.look()
            self.looks += 1
