"""Wait for a condition."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def wait_for(
    ask: Callable[[], Answer], what: str, seconds: float = 30, pause: float = 0.05
) -> Answer:
    """Call until the result is true, and return it; fail with ``what`` after the timeout."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(pause)
    return answer
