"""A/A tests: compare equal instances, learn their noise, and count false alarms.

Two instances of one colour run the same release, so every FAIL between them is false. Each half of
the windows is judged with the noise learned from the other half, so that no window is judged by
itself. The final calibration is learned from all windows.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from canary.errors import SourceError
from canary.evidence.fingerprint import fingerprint_of
from canary.evidence.pairs import pairs_of
from canary.evidence.periods import judged_times
from canary.evidence.table import Table, table_of
from canary.judge.batch import judge_many
from canary.judge.calibration import learn
from canary.judge.comparison import Arms, arms_of
from canary.learned import Calibration, Fingerprint, Learned
from canary.model import Arm, Recording, Release, Series, Step, Verdict
from canary.policy import Metric, Policy
from canary.sources.base import Source
from canary.sources.queries import source_queries
from canary.stats.distributions import Floats

FEWEST = 8
"""The least number of windows to learn from."""
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The rate of false alarms, and the calibration.

    Attributes:
        cold, calibrated: false FAILs without and with calibration; passed: PASSes with it.
        low, high: 95 % interval of the rate of false FAILs with calibration.
    """

    windows: int
    cold: int
    calibrated: int
    passed: int
    low: float
    high: float
    calibration: Calibration

    @property
    def sentence(self) -> str:
        share = f"{self.calibrated / self.windows:.1%}"
        return (
            f"{self.windows} windows of equal instances: {self.calibrated} false alarms with "
            f"calibration ({share}, 95 % interval {self.low:.1%} to {self.high:.1%}), "
            f"{self.cold} without; {self.passed} passed"
        )


@dataclass(frozen=True, slots=True)
class Past:
    """A colour and a time of equal instances, without the ``disturbed`` times."""

    colour: str
    start: int
    end: int
    disturbed: Sequence[tuple[float, float]] = ()

    def starts(self, period: int, length: int) -> Iterator[int]:
        """Return the starts of consecutive undisturbed windows of ``length`` periods."""
        span, first = length * period, -(-self.start // period) * period
        while first + span <= self.end:
            until = [end for begin, end in self.disturbed if begin < first + span and first < end]
            if until:
                first = math.ceil(max(until) / period) * period
            else:
                yield first
                first += span


def windows(policy: Policy, source: Source, past: Past) -> tuple[Recording, ...]:
    """Cut a past into windows of the length of the longest canary, for each pair of instances."""
    instances = source.instances(past.colour)
    if len(instances) < 2:
        raise SourceError(
            f"{source.describe()} lists {len(instances)} instances of {past.colour}; a "
            "comparison needs two"
        )
    pool = Release(past.colour, "", past.colour, instances)
    queries = source_queries(policy.metrics)
    series = source.read(queries, {Arm.BASELINE: pool}, past.start, past.end)
    length = policy.warmup // policy.period + policy.periods
    found = tuple(
        _window(policy, series, pair, first, length)
        for first in past.starts(policy.period, length)
        for pair in itertools.combinations(instances, 2)
    )
    found = tuple(recording for recording in found if _measured(recording))
    if len(found) < FEWEST:
        raise SourceError(
            f"{len(found)} windows of {length * policy.period} s without a canary are too few to "
            f"learn from; at least {FEWEST} are needed. Use an earlier start, or a shorter maximum"
        )
    return found


def rehearse(policy: Policy, recordings: Sequence[Recording], source: str) -> Rehearsal:
    """Judge each window by the other half; ``source`` is the kind that they come from."""
    tables = [table_of(policy, recording) for recording in recordings]
    halves = tables[::2], tables[1::2]
    crossed = [
        verdict
        for judged, taught in (halves, halves[::-1])
        for verdict in _verdicts(policy, judged, _learned(policy, taught))
    ]
    alarms = crossed.count(Verdict.FAIL)
    interval = stats.binomtest(alarms, len(crossed)).proportion_ci(CONFIDENCE, method="exact")
    return Rehearsal(
        windows=len(crossed),
        cold=_verdicts(policy, tables, {}).count(Verdict.FAIL),
        calibrated=alarms,
        passed=crossed.count(Verdict.PASS),
        low=float(interval.low),
        high=float(interval.high),
        calibration=Calibration(_learned(policy, tables), _fingerprint(policy, recordings, source)),
    )


def _measured(recording: Recording) -> bool:
    """Return whether both arms reported any value."""
    arms = {one.arm for one in recording.series if any(value is not None for value in one.values)}
    return arms == set(Arm)


def _window(
    policy: Policy, series: Sequence[Series], pair: tuple[str, str], first: int, length: int
) -> Recording:
    """Return a window in which the second of ``pair`` is the candidate."""
    roles = dict(zip(pair, (Arm.BASELINE, Arm.CANDIDATE), strict=True))
    last = first + length * policy.period
    cut = (
        _cut(replace(one, arm=roles[one.instance]), first, last)
        for one in series
        if one.instance in roles
    )
    colour = series[0].instance if series else ""
    return Recording(
        environment="rehearsal",
        period=policy.period,
        baseline=Release("A", "", colour, pair[:1]),
        candidate=Release("A", "", colour, pair[1:]),
        steps=(Step(first, 0.5, 0.5, equal_footing=True),),
        series=tuple(cut),
        looks=tuple(range(first + policy.period, last + 1, policy.period)),
    )


def _cut(series: Series, first: int, last: int) -> Series:
    kept = slice(
        sum(time < first for time in series.times), sum(time < last for time in series.times)
    )
    return replace(
        series,
        times=series.times[kept],
        values=series.values[kept],
        samples=series.samples[kept],
        spread=series.spread[kept],
    )


def _verdicts(
    policy: Policy, tables: Sequence[Table], calibration: Mapping[str, Learned]
) -> list[Verdict]:
    """Return the verdict of each window, judged at every period."""
    arms = {
        metric.name: found
        for metric in policy.metrics
        if (found := _stacked(policy, metric, tables)) is not None
    }
    return [Verdict(str(word)) for word in judge_many(policy, arms, calibration).verdicts()]


def _learned(policy: Policy, tables: Sequence[Table]) -> dict[str, Learned]:
    return {
        metric.name: learn(policy, metric.name, arms)
        for metric in policy.metrics
        if (arms := _stacked(policy, metric, tables)) is not None
    }


def _fingerprint(policy: Policy, recordings: Sequence[Recording], source: str) -> Fingerprint:
    hosts = {
        host
        for one in recordings
        for release in (one.baseline, one.candidate)
        for host in release.instances
    }
    return fingerprint_of(policy, source, len(hosts))


def _stacked(policy: Policy, metric: Metric, tables: Sequence[Table]) -> Arms | None:
    """Return the windows as rows; None for a metric without values of both arms."""
    rows = [
        arms_of(metric, pairs_of(metric, one, _judged(policy, one.recording))) for one in tables
    ]
    if not any(np.isfinite(row.candidate).any() for row in rows):
        return None
    return Arms(**{field.name: _rows(rows, field.name) for field in dataclasses.fields(Arms)})


def _judged(policy: Policy, recording: Recording) -> tuple[int, ...]:
    return judged_times(policy, recording, recording.looks[-1])


def _rows(runs: Sequence[Arms], part: str) -> Floats:
    """Return one field of every run as rows, or as a column if it has one value per run."""
    return np.concatenate([np.atleast_2d(getattr(run, part)) for run in runs])
