"""Rehearsals: past windows of equal instances, compared as in a canary."""

from canary.offline.rehearse.measure import Rehearsal, learned, rehearse, stacked, work_of
from canary.offline.rehearse.windows import (
    Cutting,
    Past,
    cutting_of,
    instances_of,
    pair_windows,
    read_hosts,
    window_of,
    windows,
)

__all__ = [
    "Cutting",
    "Past",
    "Rehearsal",
    "cutting_of",
    "instances_of",
    "learned",
    "pair_windows",
    "read_hosts",
    "rehearse",
    "stacked",
    "window_of",
    "windows",
    "work_of",
]
