"""Read processes from /proc, and signal processes that may have ended."""

import contextlib
import os
from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the running child processes of ``pid``."""
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return []


def is_init(pid: int) -> bool:
    """Return whether ``pid`` is the first process of a child namespace."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    inside = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()
    return len(inside) > 2 and inside[-1] == "1"


def signal_process(pid: int | None, number: int) -> None:
    """Send signal ``number`` to ``pid`` if it still runs."""
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def find_process(*arguments: str) -> int | None:
    """Return a running process with all ``arguments`` in its command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if set(arguments) <= set(path.read_text(errors="replace").split("\0")):
                return int(path.parent.name)
    return None
