"""Run a command within a time limit, and end everything that it started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from canary.errors import Interruption
from canary.processes.output import LastLine, Output

SIGNALS = tuple(one for one in signal.Signals if one.name in ("SIGINT", "SIGTERM", "SIGHUP"))
"""Signals that stop canary; not every system has the last one."""
GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL to the processes of a command."""
HASTE = 0.5
"""The same, when canary itself has been told to stop."""


def run(
    command: Sequence[str],
    log: Path,
    *,
    timeout: float,
    environment: Mapping[str, str],
    directory: Path | None = None,
    printed: LastLine | None = None,
) -> int:
    """Run ``command``, write what it prints to ``log``, and return its exit status.

    ``printed`` receives what the command writes to standard output.

    Raises:
        OSError: the command could not be started.
        subprocess.TimeoutExpired: it took too long; it was stopped.
    """
    process: subprocess.Popen[bytes] | None = None
    with Output(log, printed) as output:
        try:
            with _signals_held():
                process = subprocess.Popen(
                    _mortal(command, directory),
                    cwd=directory,
                    stdin=subprocess.DEVNULL,
                    stdout=output.stdout,
                    stderr=output.stderr,
                    env={**os.environ, **environment},
                    start_new_session=True,  # Ctrl-C reaches canary, which then ends the group
                )
                output.started()
            return _wait(process, timeout)
        except (KeyboardInterrupt, Interruption):  # traffic must be made safe at once
            if process is not None:
                _end(process, HASTE)
            raise


@contextmanager
def _signals_held() -> Iterator[None]:
    """Hold back signals that raise: in mid-start, that would leave a process that nobody ends."""
    here = threading.current_thread() is threading.main_thread()
    found = {number: signal.getsignal(number) for number in SIGNALS if here}
    handlers = {number: handler for number, handler in found.items() if callable(handler)}
    came: list[int] = []
    for number in handlers:
        signal.signal(number, lambda one, _: came.append(one))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for one in came:
            signal.raise_signal(one)


def _wait(process: subprocess.Popen[bytes], timeout: float) -> int:
    """Wait for the command, and end what it left behind."""
    try:
        status = process.wait(timeout)
    except subprocess.TimeoutExpired:
        _end(process, GRACE)
        raise
    _end(process, GRACE)
    return status


def _mortal(command: Sequence[str], directory: Path | None) -> list[str]:
    """Return a command that is stopped when canary is killed."""
    setpriv = shutil.which("setpriv")
    program = command[0]
    if directory is not None and os.sep in program:
        program = str(directory / program)
    if setpriv is None or shutil.which(program) is None:  # starting it reports that
        return list(command)
    return [setpriv, "--pdeathsig", "TERM", "--", *command]


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    """End the whole process group of the command, even after the command itself has ended."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + grace
        while _lives(process) and time.monotonic() < until:
            time.sleep(0.02)


def _lives(process: subprocess.Popen[bytes]) -> bool:
    process.poll()  # a process without a wait would count as alive
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True
