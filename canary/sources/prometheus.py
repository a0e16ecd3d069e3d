"""Metrics from Prometheus, read with range queries of its HTTP API.

Prometheus evaluates a query *at* a moment, looking back. The value of the period that starts
at t is therefore asked for at t + period, with ``[{period}]`` as the range in the query.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from canary.environment import Environment, PrometheusSource
from canary.errors import SourceError
from canary.model import Arm, Release, Series
from canary.sources.base import Query, Window, periods
from canary.sources.prometheus_api import Answered, PrometheusApi

MOST_POINTS = 10_000
"""Points of a series per call. Prometheus refuses a range of more than 11,000."""

Points = dict[str, dict[int, float]]


class Prometheus:
    """Runs one PromQL query per metric and colour; a label of each series names the instance."""

    own_clocks = False

    def __init__(self, settings: PrometheusSource, environment: Environment, period: int) -> None:
        self._settings = settings
        self._environment = environment
        self._period = period
        # A silent source is waited for at most two periods, so a call has to end within one.
        self._api = PrometheusApi(settings, min(settings.timeout, period))

    def describe(self) -> str:
        return f"Prometheus at {self._api.address}, every {self._period} s"

    def found_by(self, colour: str) -> str:
        query = self._filled(next(iter(self._settings.queries.values())).value, colour)
        return (
            f"An instance is a value of the label {self._settings.instance_label}, which a query "
            f"returns; ask Prometheus yourself: {query}"
        )

    def instances(self, colour: str, window: Window | None = None) -> tuple[str, ...]:
        """Return every instance with a value in the window; without one, with a value now."""
        found: set[str] = set()
        axis = periods(*window, self._period) if window else ()
        for query in self._settings.queries.values():
            text = self._filled(query.value, colour)
            # The range of a scalar looks like a series; at a moment it is told apart.
            answers = self._api.at(text, window[1] if window else None)
            answers += self._parts(text, axis)
            found.update(self._instance(one) for one in answers)
        return tuple(sorted(found))

    def names(self, colour: str) -> tuple[str, ...]:  # noqa: ARG002 - the same for each
        return tuple(sorted(self._settings.queries))

    def read(
        self, queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        axis = periods(start, end, self._period)
        if not axis:
            return ()
        return tuple(
            series
            for arm, release in arms.items()
            for query in queries
            for series in self._metric(query, arm, release, axis)
        )

    def _metric(
        self, query: Query, arm: Arm, release: Release, axis: tuple[int, ...]
    ) -> list[Series]:
        written = self._settings.queries.get(query.metric)
        if written is None:
            known = ", ".join(sorted(self._settings.queries))
            raise SourceError(
                f"no Prometheus query for metric {query.metric!r}; the policy has: {known}"
            )
        added = query.statistic == "Sum"
        values = self._range(self._filled(written.value, release.colour), axis, added=added)
        samples: Points = {}
        if written.samples is not None:
            samples = self._range(self._filled(written.samples, release.colour), axis, added=True)
        return [
            self._series(query, arm, instance, axis, (values, samples))
            for instance in release.instances
        ]

    def _series(
        self,
        query: Query,
        arm: Arm,
        instance: str,
        axis: tuple[int, ...],
        found: tuple[Points, Points],
    ) -> Series:
        values, samples = (points.get(instance, {}) for points in found)
        return Series(
            metric=query.metric,
            arm=arm,
            instance=instance,
            times=axis,
            values=tuple(_finite(values.get(time)) for time in axis),
            samples=tuple(_finite(samples.get(time)) for time in axis),
            infinite=tuple(time for time in axis if math.isinf(values.get(time, 0.0))),
        )

    def _filled(self, query: str, colour: str) -> str:
        known = {
            "{colour}": colour,
            "{environment}": self._environment.name,
            "{period}": f"{self._period}s",
        }
        for name, value in known.items():
            query = query.replace(name, value)
        return query

    def _range(self, query: str, axis: tuple[int, ...], *, added: bool) -> Points:
        """Return the values by instance. Several series of one instance are added, or refused."""
        found: Points = {}
        for first in range(0, len(axis), MOST_POINTS):
            part: Points = {}
            for one in self._parts(query, axis[first : first + MOST_POINTS]):
                instance = self._instance(one)
                if instance in part and not added:
                    raise SourceError(
                        f"Prometheus returned several series for the instance {instance!r}; "
                        f"combine them in the query, as in: "
                        f"sum by ({self._settings.instance_label}) ({query})"
                    )
                points = part.setdefault(instance, {})
                for moment, value in one.points.items():
                    points[moment - self._period] = points.get(moment - self._period, 0.0) + value
            for instance, points in part.items():
                found.setdefault(instance, {}).update(points)
        return found

    def _parts(self, query: str, axis: tuple[int, ...]) -> list[Answered]:
        step, answers = self._period, []
        for first in range(0, len(axis), MOST_POINTS):
            part = axis[first : first + MOST_POINTS]
            answers += self._api.range(query, part[0] + step, part[-1] + step, step)
        return answers

    def _instance(self, one: Answered) -> str:
        name = self._settings.instance_label
        if name not in one.labels:
            raise SourceError(
                f"Prometheus returned a series without the label {name!r} (it has "
                f"{sorted(one.labels)}); group by ({name}) in the query, or set instance_label"
            )
        return one.labels[name]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
