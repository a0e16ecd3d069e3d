"""From a recording to pairs of periods: aligned, warm, settled, on equal footing where needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from canary.model import Arm, Recording, Series, Step
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

AVERAGED = ("latency", "quantile", "gauge", "level")


@dataclass(frozen=True, slots=True)
class Side:
    """One arm of one metric over the judged periods; NaN where nothing is known."""

    values: Floats
    samples: Floats
    spread: Floats
    instances: int
    instance_values: Floats


@dataclass(frozen=True, slots=True)
class Pairs:
    """Both arms of one metric over the judged periods.

    Attributes:
        expected: periods that should hold a pair.
        sent: the candidate's share of both arms' traffic: as the proxy counted it, else as meant.
    """

    candidate: Side
    baseline: Side
    expected: Mask
    sent: Floats

    @property
    def both(self) -> Mask:
        """Periods in which both arms hold a value."""
        fine: Mask = (
            np.isfinite(self.candidate.values) & np.isfinite(self.baseline.values) & self.expected
        )
        return fine


def judged_times(policy: Policy, recording: Recording, until: int) -> tuple[int, ...]:
    """Return the starts of the periods after the warm-up that had ended by ``until``."""
    if not recording.steps:
        return ()
    period = recording.period
    warm = recording.steps[0].start + policy.warmup
    first = -(-warm // period) * period
    last = min(until, first + policy.periods * period)
    return tuple(range(first, last - period + 1, period))


def step_index(recording: Recording, time: int) -> int | None:
    """Return the step in force over the whole period that starts at ``time``, if one is."""
    found = None
    for index, step in enumerate(recording.steps):
        if step.start <= time:
            found = index
        elif step.start < time + recording.period:
            return None
    return found


def meant_share(step: Step) -> float | None:
    """Return the candidate's share of both arms' traffic, as it was meant."""
    total = step.candidate + step.baseline
    return step.candidate / total if total > 0 else None


def counted_share(recording: Recording, index: int) -> float | None:
    """Return the candidate's share of what the proxy itself counted in a step."""
    sent = {arm: count for step, arm, count in recording.split if step == index}
    total = sent.get(Arm.CANDIDATE, 0) + sent.get(Arm.BASELINE, 0)
    return sent.get(Arm.CANDIDATE, 0) / total if total else None


def _sent_share(recording: Recording, index: int) -> float:
    """Return the candidate's share of a step: as counted, else as meant; NaN if it had all."""
    share = counted_share(recording, index)
    share = meant_share(recording.steps[index]) if share is None else share
    return share if share is not None and 0 < share < 1 else np.nan


def pairs_of(metric: Metric, recording: Recording, times: tuple[int, ...]) -> Pairs:
    """Collect ``metric`` over ``times``; periods in which a weight changed hold no pair."""
    expected = np.zeros(len(times), dtype=bool)
    sent = np.full(len(times), np.nan)
    shares = [_sent_share(recording, index) for index in range(len(recording.steps))]
    for column, time in enumerate(times):
        index = step_index(recording, time)
        if index is not None:
            footing = recording.steps[index].equal_footing
            expected[column] = footing or not metric.needs_equal_footing
            sent[column] = shares[index]
    candidate, baseline = (
        _side(
            metric, [s for s in recording.series if s.metric == metric.name and s.arm is arm], times
        )
        for arm in (Arm.CANDIDATE, Arm.BASELINE)
    )
    return Pairs(candidate, baseline, expected, sent)


def _side(metric: Metric, series: list[Series], times: tuple[int, ...]) -> Side:
    ordered = sorted(series, key=lambda one: one.instance)
    count = max(len(ordered), 1)
    values, samples, spread = np.full((3, count, len(times)), np.nan)
    column_of = {time: column for column, time in enumerate(times)}
    for row, one in enumerate(ordered):
        found = [(column_of[time], at) for at, time in enumerate(one.times) if time in column_of]
        for target, source in ((values, one.values), (samples, one.samples), (spread, one.spread)):
            if source:
                for column, at in found:
                    target[row, column] = _number(source[at])
    values = np.where(_possible(metric, values), values, np.nan)
    samples = np.where(samples >= 0, samples, np.nan)
    if needs_samples(metric) and np.isfinite(samples).any():
        values = np.where(samples > 0, values, np.nan)
    return Side(
        _combine(metric, values, samples),
        _total(np.where(np.isfinite(values), samples, np.nan)),
        _mean(spread),
        len(ordered),
        values,
    )


def needs_samples(metric: Metric) -> bool:
    """Whether a value without samples behind it says nothing."""
    return metric.kind in ("latency", "quantile") or (
        metric.kind == "count" and metric.per != "time"
    )


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _possible(metric: Metric, values: Floats) -> Mask:
    """No count, latency or load is negative or infinite: such a value is missing."""
    fine: Mask = np.isfinite(values)
    if metric.kind != "level":
        fine = fine & (values >= 0)
    return fine


def _combine(metric: Metric, values: Floats, samples: Floats) -> Floats:
    if metric.kind not in AVERAGED:
        return _total(values)
    if metric.kind in ("gauge", "level") or not np.isfinite(samples).any():
        return _mean(values)
    weight = np.where(np.isfinite(values) & np.isfinite(samples), samples, 0.0)
    total = weight.sum(axis=0)
    pooled = (np.where(weight > 0, values, 0.0) * weight).sum(axis=0)
    return np.where(total > 0, pooled / np.where(total > 0, total, 1.0), np.nan)


def _total(values: Floats) -> Floats:
    mask = np.isfinite(values)
    return np.where(mask.any(axis=0), np.where(mask, values, 0.0).sum(axis=0), np.nan)


def _mean(values: Floats) -> Floats:
    mask = np.isfinite(values)
    count = mask.sum(axis=0)
    total = np.where(mask, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
