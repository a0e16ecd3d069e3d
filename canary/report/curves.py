"""The curves behind a plot: the table's rows, and findings in order of time."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from canary.evidence.arms import whole_series
from canary.evidence.pooling import ADDED, GroupSeries, is_rate
from canary.evidence.table import Table
from canary.model import Finding, Judgement, Recording
from canary.policy import Metric
from canary.stats.distributions import Floats

Curve = tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class Trail:
    """One metric's findings over the looks of a canary."""

    looks: tuple[int, ...]
    findings: tuple[Finding, ...]

    @property
    def last(self) -> Finding:
        return self.findings[-1]

    def curve(self, name: str) -> Curve:
        """Return one number of the findings (``effect``, ``low`` or ``high``) over time."""
        values = (getattr(finding, name) for finding in self.findings)
        return tuple(
            (look, value if value is not None and math.isfinite(value) else None)
            for look, value in zip(self.looks, values, strict=True)
        )


def trails(judgements: Sequence[Judgement]) -> tuple[Trail, ...]:
    """Return the findings of each metric over time, for the metrics of the last judgement."""
    ways: dict[str, list[tuple[int, Finding]]] = defaultdict(list)
    for judgement in judgements:
        for finding in judgement.findings:
            ways[finding.metric].append((judgement.at, finding))
    last = judgements[-1].findings if judgements else ()
    return tuple(
        Trail(tuple(at for at, _ in way), tuple(finding for _, finding in way))
        for way in (ways[finding.metric] for finding in last)
    )


def curve(metric: Metric, table: Table, values: Floats, samples: Floats) -> Curve:
    """Return a row of the table: a share of requests, or a value in the metric's unit."""
    if is_rate(metric):
        values = values / np.where(samples > 0, samples, np.nan)
    return tuple(
        (time, value if math.isfinite(value) else None)
        for time, value in zip(table.times.tolist(), values.tolist(), strict=True)
    )


def group_curve(metric: Metric, table: Table, group: str) -> Curve:
    """Return all hosts of a group together, as they are judged."""
    series = whole_series(metric, table, group)
    return curve(metric, table, series.values, series.samples)


def host_curves(
    metric: Metric, table: Table, group: str, most: int
) -> tuple[tuple[str, Curve], ...]:
    """Return each host of a group, if there are several: the ``most`` that differ most from all."""
    series = table.series(metric, group)
    if len(series.hosts) < 2:
        return ()
    chosen = _most_different(metric, series, most)
    lines = zip(series.hosts, series.host_values, series.host_samples, strict=True)
    return tuple(
        (host, curve(metric, table, *line))
        for row, (host, *line) in enumerate(lines)
        if row in chosen
    )


def _most_different(metric: Metric, series: GroupSeries, most: int) -> set[int]:
    if len(series.hosts) <= most:
        return set(range(len(series.hosts)))
    values, whole = series.host_values, series.values
    if is_rate(metric):
        values = values / np.where(series.host_samples > 0, series.host_samples, np.nan)
        whole = whole / np.where(series.samples > 0, series.samples, np.nan)
    if metric.kind in ADDED and not is_rate(metric):
        whole = whole / len(series.hosts)
    away = np.abs(values - whole)
    known = np.isfinite(away)
    mean = np.where(known, away, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return set(np.argsort(-mean, kind="stable")[:most].tolist())


def span(recording: Recording, judgements: Sequence[Judgement]) -> tuple[int, int]:
    """Return the first and the last time of the recording."""
    times = [
        one
        for series in recording.series
        if series.times
        for one in series.times[:: len(series.times) - 1 or 1]
    ]
    ends = [time + recording.period for time in times] + [judgement.at for judgement in judgements]
    starts = [step.start for step in recording.steps] or times or ends or [0]
    return min(starts), max([*ends, *recording.looks, min(starts) + recording.period])
