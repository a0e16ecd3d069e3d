"""Metrics from a CSV file, one row per period, arm, instance and metric.

Columns, in any order:

- ``time``: start of the period, as seconds since the epoch or ISO 8601 with an offset
- ``arm``: baseline or candidate
- ``instance``: any name
- ``metric``: the policy's name for it
- ``value``: empty if nothing was measured
- ``samples``: optional; the number of observations behind the value
- ``spread``: optional; standard deviation of the log of one observation
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from canary.errors import SourceError
from canary.model import Arm, Release, Series
from canary.sources.base import Query, Window, periods

REQUIRED = ("time", "arm", "instance", "metric", "value")
OPTIONAL = ("samples", "spread")
LATEST = 4_102_444_800
"""2100-01-01. A greater number is a time in milliseconds, or a mistake."""
MOST_PERIODS = 50_000
"""A window of more periods than this is a mistake: it is five weeks of minutes."""

Key = tuple[str, Arm, str]
Point = tuple[float | None, float | None, float | None]


class Csv:
    """A CSV file, which is read and checked once."""

    def __init__(self, path: Path, period: int) -> None:
        self._path = path
        self._period = period
        self._points: dict[Key, dict[int, Point]] = {}
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:  # -sig: from Excel
                self._load(csv.DictReader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SourceError(f"{path} can't be read as CSV: {error}") from error

    def describe(self) -> str:
        return f"CSV file {self._path}, every {self._period} s"

    def instances(self, colour: str, window: Window | None = None) -> tuple[str, ...]:
        start, end = window or (0, LATEST)
        return tuple(
            sorted(
                {
                    name
                    for (_, arm, name), points in self._points.items()
                    if arm == colour and any(start <= time < end for time in points)
                }
            )
        )

    def window(self, start: int | None = None, end: int | None = None) -> tuple[int, int]:
        """Return the start and the end of the data between ``start`` and ``end``."""
        times = [time for points in self._points.values() for time in points]
        if not times:
            raise SourceError(f"{self._path} holds no row of data")
        first = min(times) if start is None else start
        last = max(times) + self._period
        last = last if end is None else min(last, end)
        if first >= last:
            raise SourceError(
                f"{self._path} has no data from {_iso(first)} to {_iso(last)}; its rows are from "
                f"{_iso(min(times))} to {_iso(max(times))}"
            )
        if (last - first) // self._period > MOST_PERIODS:
            raise SourceError(
                f"{self._path}: the rows span {(last - first) / 86400:,.0f} days, from "
                f"{_iso(first)} to {_iso(last)}; at most {MOST_PERIODS:,} periods of "
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
        points = self._points.get(key, {})
        nothing: Point = (None, None, None)
        columns = [points.get(time, nothing) for time in axis]
        spread = tuple(point[2] for point in columns)
        return Series(
            metric=key[0],
            arm=key[1],
            instance=key[2],
            times=axis,
            values=tuple(point[0] for point in columns),
            samples=tuple(point[1] for point in columns),
            spread=spread if any(value is not None for value in spread) else (),
        )

    def _load(self, rows: csv.DictReader[str]) -> None:
        header = rows.fieldnames or []
        missing = [name for name in REQUIRED if name not in header]
        unknown = [name for name in header if name not in REQUIRED + OPTIONAL]
        if missing or unknown:
            raise SourceError(
                f"{self._path}: missing columns {missing}, unknown columns {unknown}; "
                f"allowed are {', '.join(REQUIRED)} and, if known, {', '.join(OPTIONAL)}"
            )
        for row in rows:
            self._add(row, f"{self._path}, line {rows.line_num}")

    def _add(self, row: dict[str, str], where: str) -> None:
        if None in row or None in row.values():
            raise SourceError(f"{where}: the number of fields differs from the header's")
        if row["arm"] not in list(Arm):
            raise SourceError(f"{where}: arm is {row['arm']!r}; allowed are baseline, candidate")
        time = _time(row["time"], where)
        if time % self._period:
            raise SourceError(
                f"{where}: time {time} is not the start of a period of {self._period} s"
            )
        point = (
            _number(row["value"], where),
            _number(row.get("samples", ""), where),
            _number(row.get("spread", ""), where),
        )
        points = self._points.setdefault((row["metric"], Arm(row["arm"]), row["instance"]), {})
        if points.setdefault(time, point) != point:
            raise SourceError(f"{where}: a second, different value for the same time and metric")


def _time(text: str, where: str) -> int:
    try:
        moment = float(text)
    except ValueError:
        try:
            parsed = datetime.fromisoformat(text)
        except ValueError:
            raise SourceError(
                f"{where}: time is {text!r}; write seconds since the epoch or ISO 8601"
            ) from None
        if parsed.tzinfo is None:
            raise SourceError(
                f"{where}: time {text!r} names no time zone; write for example {text}Z"
            ) from None
        moment = parsed.timestamp()
    if not math.isfinite(moment) or moment != int(moment):
        raise SourceError(f"{where}: time is {text!r}; whole seconds are needed")
    if not 0 < moment < LATEST:
        raise SourceError(
            f"{where}: time is {text!r}, which is not between 1970 and 2100; write seconds since "
            "the epoch, not milliseconds"
        )
    return int(moment)


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M")


def _number(text: str, where: str) -> float | None:
    if text.strip() == "":
        return None
    try:
        number = float(text)
    except ValueError:
        raise SourceError(f"{where}: {text!r} is not a number; leave it empty if unknown") from None
    if not math.isfinite(number):
        raise SourceError(f"{where}: {text!r} is not finite; leave it empty if unknown")
    return number
