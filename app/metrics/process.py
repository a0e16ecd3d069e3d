"""Memory and CPU time of the instance: its server, its workers, their children."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    parent: int
    cpu_seconds: float
    resident_bytes: int


def tree(root: int) -> list[Process]:
    """Return ``root`` and all its descendants; an empty list without /proc."""
    everything = [found for path in _PROC.glob("[0-9]*") if (found := _read(path))]
    children: dict[int, list[Process]] = {}
    for process in everything:
        children.setdefault(process.parent, []).append(process)
    family = [process for process in everything if process.pid == root]
    for process in family:  # the loop appends to the list
        family += children.get(process.pid, [])
    return family


def cpu_used(before: list[Process], after: list[Process]) -> float:
    """Return the CPU seconds between two trees, of the processes that still run."""
    spent = {process.pid: process.cpu_seconds for process in before}
    return sum(max(0.0, process.cpu_seconds - spent.get(process.pid, 0.0)) for process in after)


def _read(path: Path) -> Process | None:
    try:
        text = (path / "stat").read_text(encoding="utf-8", errors="replace")
        cpu_seconds = time.clock_gettime(_cpu_clock(pid := int(path.name)))
    except OSError:  # the process has ended meanwhile
        return None
    # proc(5): the command is in brackets and may contain anything; the fields follow it.
    fields = text.rpartition(") ")[2].split()
    return Process(
        pid=pid,
        parent=int(fields[1]),
        cpu_seconds=cpu_seconds,
        resident_bytes=int(fields[21]) * _PAGE,
    )


def _cpu_clock(pid: int) -> int:
    """The CPU clock of a process, in nanoseconds (``stat`` has ticks of 10 ms).

    Source: clock_getcpuclockid(3), as Linux makes it (posix-timers_types.h, CPUCLOCK_SCHED).
    """
    return ~pid << 3 | 2
