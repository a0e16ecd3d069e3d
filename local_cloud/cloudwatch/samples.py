"""The samples of one metric and unit: one growing table, sorted by time.

Every datum becomes rows of (time, count, sum, minimum, maximum). A row whose minimum equals its
maximum is *raw*: it states exactly how often a value occurred. This is the condition under which
AWS computes percentiles from a statistic set ("The Min and Max are equal, and Sum is equal to Min
multiplied by SampleCount"), so single values, Values/Counts and statistic sets need no distinction.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from local_cloud.cloudwatch import periods

Rows = NDArray[np.float64]

TIME, COUNT, SUM, MINIMUM, MAXIMUM = range(5)
WIDTH = 5


class Samples:
    """Rows by time. Adding is cheap; the next read sorts them."""

    __slots__ = ("_pending", "_rows", "latest")

    def __init__(self, rows: Rows | None = None) -> None:
        self._rows: Rows = np.empty((0, WIDTH)) if rows is None else rows
        self._pending = array("d")
        self.latest: float = float(self._rows[-1, TIME]) if len(self._rows) else -np.inf

    def add(self, flat: Iterable[float], time: float) -> None:
        """Add rows of one ``time``, given as one flat sequence."""
        self._pending.extend(flat)
        self.latest = max(self.latest, time)

    def rows(self) -> Rows:
        """Return every row, by time."""
        if self._pending:
            new = np.frombuffer(self._pending.tobytes()).reshape(-1, WIDTH)
            rows = np.concatenate((self._rows, new))
            in_order = bool(np.all(rows[1:, TIME] >= rows[:-1, TIME]))
            self._rows = rows if in_order else rows[np.argsort(rows[:, TIME], kind="stable")]
            self._pending = array("d")
        return self._rows

    def between(self, start: float, end: float) -> Rows:
        """Return the rows with start <= time < end."""
        rows = self.rows()
        first, last = np.searchsorted(rows[:, TIME], (start, end))
        return rows[first:last]

    def roll_up(self, now: float) -> None:
        """Reduce old rows to the resolution for data of their age.

        Rows with the same value and period are merged, so distributions survive: "Data points that
        are initially published with a shorter period are aggregated together for long-term
        storage".
        """
        rows = self.rows()
        horizon = np.searchsorted(rows[:, TIME], now - periods.RETENTION[0][1])
        if horizon:
            old = [_aged(part, step) for part, step in _by_age(rows[:horizon], now)]
            self._rows = np.concatenate((*old, rows[horizon:]))


def _by_age(rows: Rows, now: float) -> Iterable[tuple[Rows, int]]:
    """Split rows, oldest first, into parts with the same resolution. Leave out expired rows."""
    for (_, since), (step, until) in reversed(list(pairwise(periods.RETENTION))):
        first, last = np.searchsorted(rows[:, TIME], (now - until, now - since))
        yield rows[first:last], step


def _aged(rows: Rows, step: int) -> Rows:
    times = rows[:, TIME] // step * step
    if np.array_equal(times, rows[:, TIME]) or not len(rows):
        return rows
    keys = np.column_stack((times, rows[:, MINIMUM], rows[:, MAXIMUM]))
    order = np.lexsort(keys.T[::-1])
    keys = keys[order]
    first = np.flatnonzero(np.concatenate(([True], np.any(keys[1:] != keys[:-1], axis=1))))
    merged = np.empty((len(first), WIDTH))
    merged[:, [TIME, MINIMUM, MAXIMUM]] = keys[first]
    merged[:, [COUNT, SUM]] = np.add.reduceat(rows[order][:, [COUNT, SUM]], first, axis=0)
    return merged
