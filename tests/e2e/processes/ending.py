"""Leave no process behind, after the demonstration's end, Ctrl-C or kill -9.

Every process of the demonstration inherits a mark in its environment. A guard reads from a pipe
until the demonstration is gone, then ends every process with the mark and removes the directory.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.paths import ROOT

MARK = "CART_CANARY_DEMONSTRATION"
GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL to the processes."""


@contextmanager
def guarded(directory: Path) -> Iterator[None]:
    """Mark all processes that are started inside, and end them afterwards with their files."""
    unmarked = {name: value for name, value in os.environ.items() if name != MARK}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.processes.ending", str(directory)],
        cwd=ROOT,
        env=unmarked,
        stdin=subprocess.PIPE,
        start_new_session=True,
    ) as guard:
        temporary = directory / "tmp"
        temporary.mkdir()
        try:
            with _environment({MARK: str(directory), "TMPDIR": str(temporary)}):
                yield
        finally:
            assert guard.stdin is not None
            guard.stdin.close()


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({} if value is None else {name: value})


def marked(directory: Path) -> list[int]:
    """Return the processes with the mark whose environment this user may read."""
    mark = os.fsencode(f"{MARK}={directory}")
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found


def end(processes: Callable[[], list[int]]) -> None:
    """Ask the processes to end. After a while, kill them and all that they have started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + GRACE
        _signal(processes(), number)
        while (left := processes()) and time.monotonic() < until:
            if number == signal.SIGKILL:
                _signal(left, number)
            time.sleep(0.1)


def _signal(processes: list[int], number: int) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)


def main(directory: Path) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.stdin.buffer.read()
    end(lambda: marked(directory))
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
