"""The curves behind a plot: the table's rows, and findings in order of time."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from canary.evidence.pooling import is_rate
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
    series = table.series(metric, group)
    return curve(metric, table, series.values, series.samples)


def host_curves(metric: Metric, table: Table, group: str) -> tuple[tuple[str, Curve], ...]:
    """Return each host of a group, if there are several."""
    series = table.series(metric, group)
    if len(series.hosts) < 2:
        return ()
    lines = zip(series.hosts, series.host_values, series.host_samples, strict=True)
    return tuple((host, curve(metric, table, *line)) for host, *line in lines)


def span(recording: Recording, judgements: Sequence[Judgement]) -> tuple[int, int]:
    """Return the first and the last time of the recording."""
    times = [time for series in recording.series for time in (series.times or ())]
    ends = [time + recording.period for time in times] + [judgement.at for judgement in judgements]
    starts = [step.start for step in recording.steps] or times or ends or [0]
    return min(starts), max([*ends, *recording.looks, min(starts) + recording.period])
