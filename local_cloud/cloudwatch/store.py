"""The samples of all metrics, read by statistic and period. Independent of moto.

Thread-safe: writers and readers hold one lock while they use the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Any

import numpy as np

from local_cloud.cloudwatch import intake, periods, statistics
from local_cloud.cloudwatch.metric import Metric, TimeSeries
from local_cloud.cloudwatch.samples import Rows, Samples

Clock = Callable[[], float]
LISTED = 14 * periods.DAY  # "if those metrics haven't reported data in the past two weeks"
RECENTLY_ACTIVE = 3 * periods.HOUR


@dataclass(frozen=True, slots=True)
class Reading:
    """What to read of a metric: a statistic, a period, and optionally one unit."""

    metric: Metric
    statistic: str
    period: int
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` up to, not including, ``end``; periods begin at ``origin`` + n periods.

    ``origin`` is the epoch, except for alarms, which read the minutes that just ended.
    """

    start: float
    end: float
    origin: float = 0

    def first(self, period: int) -> int:
        """Return the start of the first whole period."""
        return int(-((self.origin - self.start) // period) * period + self.origin)

    def periods(self, period: int) -> range:
        return range(self.first(period), int(np.ceil(self.end)), period)


class MetricStore:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._metrics: dict[Metric, dict[str, Samples]] = {}
        self._lock = RLock()

    def put(self, namespace: str | None, data: Sequence[Mapping[str, Any]] | None) -> None:
        """Store the data of PutMetricData; times are seconds since the epoch."""
        accepted = intake.accept(namespace, data, self.clock())
        with self._lock:
            for metric, unit, time, rows in accepted:
                self._samples(metric, unit).add(rows, time)

    def _samples(self, metric: Metric, unit: str) -> Samples:
        units = self._metrics.setdefault(metric, {})
        if unit not in units:
            units[unit] = Samples()
        return units[unit]

    def units(self, metric: Metric) -> list[str]:
        """Return the units this metric was published with."""
        with self._lock:
            return sorted(self._metrics.get(metric, ()))

    def read(self, reading: Reading, span: Span) -> TimeSeries:
        """Return one value for each period that has data.

        A metric that does not exist has no data, as on AWS.
        """
        rows = self._rows(reading, span)
        if not len(rows):
            return TimeSeries({}, reading.period, reading.metric.name)
        buckets = statistics.Buckets(rows, reading.period, span.origin)
        values = statistics.parse(reading.statistic)(buckets)
        known = ~np.isnan(values)
        starts = buckets.starts[known].astype(np.int64)
        points = dict(zip(starts.tolist(), values[known].tolist(), strict=True))
        return TimeSeries(points, reading.period, reading.metric.name)

    def _rows(self, reading: Reading, span: Span) -> Rows:
        """Return the rows of all periods that begin within the span and have not expired."""
        period = reading.period
        oldest = Span(self.clock() - periods.reach(period), span.end, span.origin).first(period)
        starts = span.periods(period)
        if not starts:
            return Samples().rows()
        first, end = max(starts[0], oldest), starts[-1] + period
        with self._lock:
            units = self._metrics.get(reading.metric, {})
            chosen = [units[unit] for unit in units if reading.unit in (None, unit)]
            parts = [samples.between(first, end) for samples in chosen]
        if len(parts) == 1:
            return parts[0]
        rows = np.concatenate((Samples().rows(), *parts))
        return rows[np.argsort(rows[:, 0], kind="stable")]

    def metrics(self, *, recently_active: bool = False) -> list[Metric]:
        """Return every metric with data in the past two weeks (or three hours), by name."""
        since = self.clock() - (RECENTLY_ACTIVE if recently_active else LISTED)
        with self._lock:
            return sorted(
                metric
                for metric, units in self._metrics.items()
                if any(samples.latest >= since for samples in units.values())
            )

    def roll_up(self) -> None:
        """Reduce old data to the resolution that AWS uses, and remove expired data."""
        now = self.clock()
        with self._lock:
            for samples in self._all():
                samples.roll_up(now)

    def __len__(self) -> int:
        """Return the number of stored rows."""
        with self._lock:
            return sum(len(samples.rows()) for samples in self._all())

    def _all(self) -> Iterator[Samples]:
        return (samples for units in self._metrics.values() for samples in units.values())

    def tables(self) -> list[tuple[Metric, str, Rows]]:
        """Return the contents for a snapshot. Rows never change in place: sharing is safe."""
        with self._lock:
            return [
                (metric, unit, samples.rows())
                for metric, units in self._metrics.items()
                for unit, samples in units.items()
            ]

    def load(self, tables: Iterable[tuple[Metric, str, Rows]]) -> None:
        """Replace all contents with those of a snapshot."""
        metrics: dict[Metric, dict[str, Samples]] = {}
        for metric, unit, rows in tables:
            metrics.setdefault(metric, {})[unit] = Samples(rows)
        with self._lock:
            self._metrics = metrics
