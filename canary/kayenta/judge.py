"""`judge: kayenta`: a recording judged by Kayenta's rules, as a second opinion.

Kayenta has no times, no instances and no counts: each arm is a bag of values. What our policy says
beyond its rules is read so: a group's weight is the sum of its metrics' weights, counts are shares
of requests, throughput is per intended share. Where Kayenta would pass for lack of data, we say
INCONCLUSIVE: no path leads from missing data to PASS.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from canary.kayenta.rules import (
    MARGINAL_SCORE,
    PASS_SCORE,
    Classification,
    Direction,
    Label,
    Member,
    Rules,
    classify,
    score,
)
from canary.model import Arm, Finding, Judgement, Recording, Series, Verdict
from canary.policy import Metric, Policy

VERDICTS = {
    Label.PASS: Verdict.PASS,
    Label.HIGH: Verdict.FAIL,
    Label.LOW: Verdict.FAIL,
    Label.NODATA_FAIL: Verdict.FAIL,
    Label.NODATA: Verdict.INCONCLUSIVE,
    Label.ERROR: Verdict.INCONCLUSIVE,
}
DEFAULT_GROUP = "metrics"


def judge_kayenta(policy: Policy, recording: Recording, until: int | None = None) -> Judgement:
    """Return Kayenta's verdict on all data up to ``until``; INCONCLUSIVE before the minimum."""
    end = until if until is not None else _end(recording)
    start = (recording.steps[0].start if recording.steps else 0) + policy.warmup
    labels = {
        metric.name: _classify(policy, recording, metric, (start, end)) for metric in policy.metrics
    }
    findings = tuple(_finding(metric, labels[metric.name]) for metric in policy.metrics)
    total = score(
        [_member(metric, labels[metric.name]) for metric in policy.metrics], _weights(policy)
    )
    verdict, reason = _verdict(findings, total)
    if end - start < policy.minimum:
        verdict, reason = Verdict.INCONCLUSIVE, "Kayenta's first interval is not over yet."
    return Judgement(end, verdict, reason, findings, score=total)


def _end(recording: Recording) -> int:
    times = [series.times[-1] + recording.period for series in recording.series if series.times]
    return max([*recording.looks, *times], default=0)


def _verdict(findings: Sequence[Finding], total: float) -> tuple[Verdict, str]:
    said = f"Kayenta's score is {total:g} of 100"
    if total < MARGINAL_SCORE:
        return Verdict.FAIL, f"{said}, below {MARGINAL_SCORE:g}: Fail."
    if total < PASS_SCORE:
        return Verdict.INCONCLUSIVE, f"{said}, below {PASS_SCORE:g}: Marginal."
    unknown = [f.metric for f in findings if f.verdict is Verdict.INCONCLUSIVE and not f.muted]
    if unknown:
        missing = ", ".join(unknown)
        return Verdict.INCONCLUSIVE, f"{said}, but there is no data of {missing}."
    return Verdict.PASS, f"{said}, at least {PASS_SCORE:g}: Pass."


def _member(metric: Metric, classification: Classification) -> Member:
    return Member(classification, (metric.group or DEFAULT_GROUP,), metric.muted)


def _weights(policy: Policy) -> Mapping[str, float]:
    """Return group weights with a sum of 100."""
    sums: dict[str, float] = defaultdict(float)
    for metric in policy.metrics:
        if not metric.muted:
            sums[metric.group or DEFAULT_GROUP] += metric.weight
    return {group: 100 * weight / sum(sums.values()) for group, weight in sums.items()}


def _classify(
    policy: Policy, recording: Recording, metric: Metric, window: tuple[int, int]
) -> Classification:
    rules = Rules(
        direction=Direction(metric.harmful),
        critical=metric.critical,
        must_have_data=not metric.critical,
    )
    x, y = (_values(policy, recording, metric, arm, window) for arm in reversed(Arm))
    if not all(map(math.isfinite, (*x, *y))):
        reason = "A value is not a finite number."
        return Classification(Label.ERROR, critical=False, reason=reason)
    return classify(rules, x, y)


def _values(
    policy: Policy, recording: Recording, metric: Metric, arm: Arm, window: tuple[int, int]
) -> list[float]:
    """One value a period: what a query that merges the instances would give."""
    points: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for series in recording.series:
        if series.metric == metric.name and series.arm is arm:
            for time, value, samples in _points(series):
                if window[0] <= time and time + policy.period <= window[1]:
                    points[time].append((value, samples))
    merged = ((time, _merge(metric, points[time])) for time in sorted(points))
    if metric.kind != "throughput":
        return [value for _, value in merged if value is not None]
    return [value / _share(recording, arm, time) for time, value in merged if value is not None]


def _points(series: Series) -> list[tuple[int, float, float]]:
    rows = zip(series.times, series.values, series.samples, strict=True)
    return [(time, value, samples or 0.0) for time, value, samples in rows if value is not None]


def _merge(metric: Metric, points: Sequence[tuple[float, float]]) -> float | None:
    total, weight = sum(value for value, _ in points), sum(samples for _, samples in points)
    if metric.kind == "throughput" or (metric.kind == "count" and metric.per == "time"):
        return total
    if metric.kind == "count":
        return total / weight if weight else None
    if weight:
        return sum(value * samples for value, samples in points) / weight
    return total / len(points)


def _share(recording: Recording, arm: Arm, time: int) -> float:
    """The share of traffic that the arm was meant to carry."""
    steps = [step for step in recording.steps if step.start <= time] or recording.steps[:1]
    if not steps:
        return 1.0
    share = steps[-1].candidate if arm is Arm.CANDIDATE else steps[-1].baseline
    return share or 1.0


def _finding(metric: Metric, classification: Classification) -> Finding:
    """Return the classification as a finding; positive is harm."""
    towards = -1.0 if metric.harmful == "decrease" else 1.0
    ratio, shift = classification.deviation, classification.shift
    known = not math.isnan(ratio)
    details = {} if shift is None else _details(classification)
    label = classification.label
    return Finding(
        metric=metric.name,
        verdict=VERDICTS[label],
        sentence=f"Kayenta classifies {metric.name} as {label}. {classification.reason}",
        critical=metric.critical,
        muted=metric.muted,
        group=metric.group,
        weight=metric.weight,
        effect=towards * (ratio - 1) if known else None,
        towards_fail=float(label in (Label.HIGH, Label.LOW, Label.NODATA_FAIL)),
        towards_pass=float(label is Label.PASS),
        details=details,
    )


def _details(classification: Classification) -> dict[str, float]:
    shift, ratio = classification.shift, classification.deviation
    numbers = {} if math.isnan(ratio) else {"mean_ratio": ratio}
    if shift is not None:
        numbers |= {"shift": shift.estimate, "shift_low": shift.low, "shift_high": shift.high}
    return numbers
