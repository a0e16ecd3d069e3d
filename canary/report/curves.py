"""The curves behind a plot: instances of an arm put together, findings put in order of time."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from canary.model import Arm, Finding, Judgement, Recording, Series

RATE, TOTAL, MEAN = "rate", "total", "mean"
Reading = tuple[float, float]
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
        """One number of the findings (``effect``, ``low`` or ``high``) over time."""
        values = (getattr(finding, name) for finding in self.findings)
        return tuple(
            (look, value if value is not None and math.isfinite(value) else None)
            for look, value in zip(self.looks, values, strict=True)
        )


def trails(judgements: Sequence[Judgement]) -> tuple[Trail, ...]:
    """Each metric's way through the canary, for the metrics of the last judgement."""
    ways: dict[str, list[tuple[int, Finding]]] = defaultdict(list)
    for judgement in judgements:
        for finding in judgement.findings:
            ways[finding.metric].append((judgement.at, finding))
    last = judgements[-1].findings if judgements else ()
    return tuple(
        Trail(tuple(at for at, _ in way), tuple(finding for _, finding in way))
        for way in (ways[finding.metric] for finding in last)
    )


def arm(recording: Recording, metric: str, side: Arm, how: str) -> Curve:
    """One metric of one arm, its instances put together as the metric's kind asks."""
    chosen = [s for s in recording.series if s.metric == metric and s.arm is side]
    return together(chosen, how)


def together(chosen: Iterable[Series], how: str) -> Curve:
    """Rates as events per request, totals as sums, anything else as a mean by samples."""
    at: dict[int, list[Reading | None]] = defaultdict(list)
    for series in chosen:
        for time, value, samples in zip(series.times, series.values, series.samples, strict=True):
            at[time].append(_reading(value, samples, how))
    return tuple((time, _join(at[time], how)) for time in sorted(at))


def _reading(value: float | None, samples: float | None, how: str) -> Reading | None:
    if value is None or not math.isfinite(value):
        return None
    weight = samples if samples is not None and math.isfinite(samples) and samples > 0 else 0.0
    if how in (RATE, TOTAL):
        return value, weight
    return value * (weight or 1.0), weight or 1.0


def _join(readings: Sequence[Reading | None], how: str) -> float | None:
    known = [reading for reading in readings if reading is not None]
    total, weight = sum(value for value, _ in known), sum(weight for _, weight in known)
    if not known:
        return None
    if how == TOTAL:
        return total
    return total / weight if weight else None


def span(recording: Recording, judgements: Sequence[Judgement]) -> tuple[int, int]:
    """From the first moment the recording knows to the last."""
    times = [time for series in recording.series for time in (series.times or ())]
    ends = [time + recording.period for time in times] + [judgement.at for judgement in judgements]
    starts = [step.start for step in recording.steps] or times or ends or [0]
    return min(starts), max([*ends, *recording.looks, min(starts) + recording.period])
