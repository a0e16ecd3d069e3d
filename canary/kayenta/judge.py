"""`judge: kayenta`: a recording judged by Kayenta's rules, as a second opinion.

Kayenta has no times, no instances and no counts: each arm is a set of values. Our policies are
translated: a group's weight is the sum of its metrics' weights, counts are shares of requests,
throughput is per intended share. Where Kayenta would pass for lack of data, the verdict here is
INCONCLUSIVE: missing data never lead to PASS.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from canary.evidence.periods import last_time
from canary.evidence.pooling import is_rate
from canary.evidence.table import Columns, Table, table_of
from canary.formatting import listed
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
from canary.model import Arm, Finding, Judgement, Recording, Verdict
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
    end = last_time(recording) if until is None else until
    return kayenta_judgement(policy, table_of(policy, recording, end), end)


def kayenta_judgement(policy: Policy, table: Table, end: int) -> Judgement:
    """Return Kayenta's verdict on what a table holds up to ``end``."""
    steps = table.recording.steps
    start = (steps[0].start if steps else 0) + policy.warmup
    columns = table.ended(end)
    columns = columns[table.times[columns] >= start]
    labels = {metric.name: _classify(table, metric, columns) for metric in policy.metrics}
    findings = tuple(_finding(metric, labels[metric.name]) for metric in policy.metrics)
    total = score(
        [_member(metric, labels[metric.name]) for metric in policy.metrics], _weights(policy)
    )
    verdict, reason = _verdict(findings, total)
    if end - start < policy.minimum:
        verdict, reason = Verdict.INCONCLUSIVE, "Kayenta's first interval is not over yet."
    return Judgement(end, verdict, reason, findings, score=total)


def _verdict(findings: Sequence[Finding], total: float) -> tuple[Verdict, str]:
    said = f"Kayenta's score is {total:g} of 100"
    if total < MARGINAL_SCORE:
        return Verdict.FAIL, f"{said}, below {MARGINAL_SCORE:g}: Fail.{_worse(findings)}"
    if total < PASS_SCORE:
        return Verdict.INCONCLUSIVE, f"{said}, below {PASS_SCORE:g}: Marginal.{_worse(findings)}"
    unknown = [f.metric for f in findings if f.verdict is Verdict.INCONCLUSIVE and not f.muted]
    if unknown:
        missing = ", ".join(unknown)
        return Verdict.INCONCLUSIVE, f"{said}, but there is no data of {missing}."
    return Verdict.PASS, f"{said}, at least {PASS_SCORE:g}: Pass."


def _worse(findings: Sequence[Finding]) -> str:
    """Return the metrics that did not pass: " Not passed: errors (critical) and latency"."""
    names = [
        f"{f.metric} (critical)" if f.critical else f.metric
        for f in sorted(findings, key=lambda one: not one.critical)
        if f.verdict is not Verdict.PASS and not f.muted
    ]
    return f" Not passed: {listed(names)}" if names else ""


def _member(metric: Metric, classification: Classification) -> Member:
    return Member(classification, (metric.group or DEFAULT_GROUP,), metric.muted)


def _weights(policy: Policy) -> Mapping[str, float]:
    """Return group weights with a sum of 100."""
    sums: dict[str, float] = defaultdict(float)
    for metric in policy.metrics:
        if not metric.muted:
            sums[metric.group or DEFAULT_GROUP] += metric.weight
    return {group: 100 * weight / sum(sums.values()) for group, weight in sums.items()}


def _classify(table: Table, metric: Metric, columns: Columns) -> Classification:
    rules = Rules(
        direction=Direction(metric.harmful),
        critical=metric.critical,
        must_have_data=not metric.critical,
    )
    x, y = (_values(table, metric, arm, columns) for arm in reversed(Arm))
    return classify(rules, x, y)


def _values(table: Table, metric: Metric, arm: Arm, columns: Columns) -> list[float]:
    """One value per period, as from a query that merges the instances."""
    series = table.series(metric, arm, columns)
    values = series.values
    if is_rate(metric):
        values = values / np.where(series.samples > 0, series.samples, np.nan)
    if metric.kind == "throughput":
        values = values / np.array(
            [_share(table.recording, arm, time) for time in table.times[columns].tolist()]
        )
    known: list[float] = values[np.isfinite(values)].tolist()
    return known


def _share(recording: Recording, arm: Arm, time: int) -> float:
    """The intended share of traffic of the arm."""
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
