"""Metrics from a CSV file, one row per period, arm, instance and metric.

Columns, in any order:

- ``time``: start of the period, as seconds since the epoch or ISO 8601 with an offset
- ``arm``: baseline or candidate
- ``instance``: any name
- ``metric``: the policy's name for it
- ``value``: empty if nothing was measured, inf if it is too large to measure
- ``samples``: optional; the number of observations behind the value
- ``spread``: optional; standard deviation of the log of one observation
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canary.errors import SourceError
from canary.formatting import minute
from canary.model import Arm, Release, Series
from canary.sources.base import Query, Window, periods
from canary.sources.csv_header import OPTIONAL, REQUIRED, names_of, not_text
from canary.sources.csv_points import Key, points_of
from canary.sources.csv_rows import LATEST, header_of

MOST_PERIODS = 50_000
"""A window of more periods than this is a mistake: it is five weeks of minutes."""


class Csv:
    """A CSV file, which is read and checked once."""

    own_clocks = False

    def __init__(self, path: Path, period: int) -> None:
        self._path = path
        self._period = period
        try:
            header = names_of(path, header_of(path))
            order = [header.index(name) if name in header else None for name in REQUIRED + OPTIONAL]
            self._points = points_of(path, order, len(header), period)
        except UnicodeDecodeError as error:
            raise SourceError(not_text(path)) from error
        except (OSError, csv.Error) as error:
            raise SourceError(f"{path} can't be read as CSV: {error}") from error

    def describe(self) -> str:
        return f"CSV file {self._path}, every {self._period} s"

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all metrics in the file."""
        return tuple(sorted({metric for metric, _, _ in self._points.slices}))

    def names(self, colour: str) -> tuple[str, ...]:
        return tuple(sorted({metric for metric, arm, _ in self._points.slices if arm == colour}))

    @property
    def step(self) -> int:
        """The time between rows in seconds, of which every period is a multiple; 0 if unknown."""
        different = np.unique(self._points.times)
        return int(np.gcd.reduce(np.diff(different))) if len(different) > 1 else 0

    def found_by(self, colour: str) -> str:
        return f"An instance is a value of the column instance, with {colour} in the column arm"

    def instances(self, colour: str, window: Window | None = None) -> tuple[str, ...]:
        start, end = window or (0, LATEST)
        found = set()
        for (_, arm, instance), rows in self._points.slices.items():
            times = self._points.times[rows]
            if arm == colour and (times.searchsorted(start) < times.searchsorted(end)):
                found.add(instance)
        return tuple(sorted(found))

    def window(self, start: int | None = None, end: int | None = None) -> tuple[int, int]:
        """Return the start and the end of the data, at most from ``start`` to ``end``."""
        times = self._points.times
        if not len(times):
            raise SourceError(f"{self._path} holds no row of data")
        earliest, latest = int(times.min()), int(times.max())
        first = earliest if start is None else start
        last = latest + self._period
        last = last if end is None else min(last, end)
        if first >= last:
            until = f" to {minute(last)}" if end is not None else " on"
            raise SourceError(
                f"{self._path} has no data from {minute(first)}{until}; its rows are "
                f"from {minute(earliest)} to {minute(latest)} (UTC)"
            )
        if (last - first) // self._period > MOST_PERIODS:
            raise SourceError(
                f"{self._path}: the rows span {(last - first) / 86400:,.0f} days, from "
                f"{minute(first)} to {minute(last)}; at most {MOST_PERIODS:,} periods of "
                f"{self._period} s are judged. Correct the wrong time, or name the window with "
                "--start and --end"
            )
        return first, last

    def read(
        self, queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        axis = periods(start, end, self._period)
        return tuple(
            self._series((query.metric, arm, instance), axis)
            for arm, release in arms.items()
            for instance in release.instances
            for query in queries
            if axis
        )

    def _series(self, key: Key, axis: tuple[int, ...]) -> Series:
        rows = self._points.slices.get(key, slice(0, 0))
        times, numbers = self._points.times[rows], self._points.numbers[:, rows]
        kept = (times >= axis[0]) & (times <= axis[-1])
        places = (times[kept] - axis[0]) // self._period
        columns = np.full((3, len(axis)), np.nan)
        columns[:, places] = numbers[:, kept]
        return Series(
            metric=key[0],
            arm=key[1],
            instance=key[2],
            times=axis,
            values=_listed(columns[0]),
            samples=_listed(columns[1]),
            spread=_listed(columns[2]) if np.isfinite(columns[2]).any() else (),
            infinite=tuple(axis[at] for at in np.flatnonzero(np.isinf(columns[0]))),
        )


def _listed(values: NDArray[np.float64]) -> tuple[float | None, ...]:
    """Return finite numbers, and None for the others."""
    known = np.isfinite(values)
    if known.all():
        return tuple(values.tolist())
    found: NDArray[Any] = values.astype(object)
    found[~known] = None
    return tuple(found.tolist())
