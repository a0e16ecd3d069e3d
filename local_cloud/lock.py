"""A lock: only one command at a time changes a cloud."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_cloud.progress import say


@contextmanager
def exclusive(state: Path) -> Iterator[None]:
    """Hold the lock of the cloud in ``state``; wait for it first."""
    held = take(state)
    try:
        yield
    finally:
        os.close(held)


def take(state: Path) -> int:
    """Return a descriptor that locks the directory ``state``, even if it is recreated meanwhile."""
    while True:
        state.mkdir(parents=True, exist_ok=True)
        held = os.open(state, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another local-cloud command works on {state}: waiting for it.")
            fcntl.flock(held, fcntl.LOCK_EX)
        if state.exists() and os.fstat(held).st_ino == state.stat().st_ino:
            return held
        os.close(held)
