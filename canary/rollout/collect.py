"""The data of a running canary: series from its source, and the proxy's counters.

Each look reads the newest periods again. A value that was missing is filled in, with the look from
which it is known, so that a recording replays to the same verdict, bit for bit. A value that was
present stays as it was judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from canary.model import Arm, Release, Series
from canary.policy import LATENCY
from canary.rollout.late import AGAIN, before, refilled, since
from canary.sources.base import Query, Source, joined
from canary.traffic.base import TIMES, Status

Point = tuple[float | None, float]
Split = tuple[tuple[int, Arm, int], ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Some metrics, and the instances that they compare."""

    queries: Sequence[Query]
    arms: Mapping[Arm, Release]


class Readings:
    """Series by metric and instance, read window by window."""

    def __init__(
        self, source: Source, compared: Sequence[Compared], start: int, period: int
    ) -> None:
        self._source = source
        self._compared = compared
        self._read: tuple[Series, ...] = ()
        self._period = period
        self.end = start

    def read(self, look: int) -> None:
        """Read the periods up to ``look``: all of them, or none after an error."""
        if look <= self.end:
            return
        found = [
            series
            for group in self._compared
            if group.queries
            for series in self._source.read(group.queries, group.arms, self._start(), look)
        ]
        known = refilled(self._read, [before(one, self.end) for one in found], look)
        self._read = joined([*known, *(since(one, self.end) for one in found)])
        self.end = look

    def _start(self) -> int:
        """Return the first period to read; the newest of those read before are read again."""
        times = self._read[0].times if self._read else ()
        newest = [time for time in times[-AGAIN:] if time >= self.end - AGAIN * self._period]
        return min([*newest, self.end])

    def restore(self, read: tuple[Series, ...], end: int) -> None:
        """Begin with the series that an earlier process read."""
        self._read, self.end = read, end

    def series(self) -> tuple[Series, ...]:
        """Return everything read so far."""
        return self._read


class ProxyCounts:
    """The proxy's counters, as requests by step and arm, and as series.

    Attributes:
        servers: the arm and the instance of each compared server.
        metrics: the proxy's measure for each metric that the proxy measures.
        served: requests by instance and start of period.
    """

    def __init__(
        self, servers: Mapping[str, tuple[Arm, str]], metrics: Mapping[str, str], period: int
    ) -> None:
        self.served: dict[str, dict[int, int]] = {}
        self._servers = servers
        self._metrics = metrics
        self._period = period
        self._last: Status | None = None
        self._split: dict[tuple[int, Arm], int] = {}
        self._points: dict[tuple[str, str], dict[int, Point]] = {}

    @property
    def counters(self) -> Mapping[str, Mapping[str, int]]:
        """Return the counters from which the next period is counted."""
        return self._last.counters if self._last is not None else {}

    @property
    def since(self) -> int | None:
        """Return the time at which the proxy began to count them."""
        return self._last.started if self._last is not None else None

    def restore(
        self,
        last: Status,
        served: dict[str, dict[int, int]],
        split: Split,
        counted: Sequence[Series],
    ) -> None:
        """Begin with the counts of an earlier process."""
        self._last, self.served = last, served
        self._split = {(step, arm): count for step, arm, count in split}
        names = {of: server for server, of in self._servers.items()}
        for series in counted:
            rows = zip(series.times, series.values, series.samples, strict=True)
            server = names[series.arm, series.instance]
            self._points[series.metric, server] = {
                time: (value, samples or 0.0) for time, value, samples in rows
            }

    def start(self, status: Status) -> None:
        """Start counting for a new step."""
        self._last = status

    def add(self, status: Status, step: int | None, end: int) -> None:
        """Add the counts since the last call as the period that ends at ``end``.

        Without a step, the counts cover two splits, so they belong to no step.
        """
        for server, (arm, instance) in self._servers.items():
            requests = self._since(status, "requests", server)
            self.served.setdefault(instance, {})[end - self._period] = requests
            if step is not None:
                self._split[step, arm] = self._split.get((step, arm), 0) + requests
            for metric, counter in self._metrics.items():
                points = self._points.setdefault((metric, server), {})
                points[end - self._period] = self._point(status, counter, server, requests)
        self._last = status

    def _point(self, status: Status, counter: str, server: str, requests: int) -> Point:
        """Return the value of one server's period, and the number of its responses."""
        if counter != LATENCY:
            return float(self._since(status, counter, server)), float(requests)
        timed, microseconds = (self._since(status, name, server) for name in TIMES)
        return (microseconds / timed / 1000 if timed else None), float(timed)

    def _since(self, status: Status, counter: str, server: str) -> int:
        """Return the increase of a counter; a proxy's restart or a decrease means a reset."""
        last = self._last
        now = status.counters.get(counter, {}).get(server, 0)
        before = last.counters.get(counter, {}).get(server, 0) if last else 0
        reset = now < before or (last is not None and last.started != status.started)
        return now if reset else now - before

    def split(self) -> Split:
        """Return the requests to each arm, by step."""
        return tuple((step, arm, count) for (step, arm), count in sorted(self._split.items()))

    def series(self) -> tuple[Series, ...]:
        """Return the judged counters, one series per metric and instance."""
        found = []
        for (metric, server), points in self._points.items():
            arm, instance = self._servers[server]
            times = tuple(sorted(points))
            values = tuple(points[time][0] for time in times)
            samples = tuple(points[time][1] for time in times)
            found.append(Series(metric, arm, instance, times, values, samples))
        return tuple(found)
