"""Rehearsals: equal instances of the past, compared as a canary would be."""

from canary.offline.rehearse.measure import Rehearsal, rehearse, work_of
from canary.offline.rehearse.windows import Cutting, Past, cutting_of, instances_of, windows

__all__ = [
    "Cutting",
    "Past",
    "Rehearsal",
    "cutting_of",
    "instances_of",
    "rehearse",
    "windows",
    "work_of",
]
