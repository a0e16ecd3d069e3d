"""Absolute limits, which the candidate must not break, whatever the baseline does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from canary.evidence.pairs import Pairs, pairs_of
from canary.evidence.periods import times_since_start
from canary.evidence.pooling import GroupSeries, is_rate
from canary.evidence.table import Table
from canary.formatting import number, percent
from canary.judge.budget import budget_finding
from canary.judge.findings import limit_finding
from canary.judge.wording import UNDECIDED, chances_name
from canary.model import Finding, Verdict
from canary.policy import Metric, Policy, Slo
from canary.stats.counts import poisson_lower

SUSTAINED_PERIODS = 3
CHANCE = 0.001
"""A share of requests breaks its limit if the probability of that by chance is below this."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One arm compared with a limit: its value, and whether that breaks the limit."""

    value: float
    broken: bool


def limit_findings(
    policy: Policy, table: Table, pairs: dict[str, Pairs], times: tuple[int, ...]
) -> tuple[Finding, ...]:
    """Return one finding for each absolute limit."""
    by_name = {metric.name: metric for metric in policy.metrics}
    everything = times_since_start(table.recording, times)
    found = []
    for slo in policy.slos:
        metric, seen = by_name[slo.metric], pairs[slo.metric]
        if slo.total is not None or slo.excess is not None:
            seen = pairs_of(metric, table, everything)
        if slo.excess is not None:
            found.append(budget_finding(metric, slo.excess, seen))
        else:
            last = max((slo.sustained or SUSTAINED_PERIODS * policy.period) // policy.period, 1)
            found.append(_finding(metric, slo, seen, last))
    return tuple(found)


def _finding(metric: Metric, slo: Slo, pairs: Pairs, last: int) -> Finding:
    candidate = read(metric, slo, pairs.candidate, last)
    baseline = read(metric, slo, pairs.baseline, last)
    value = None if candidate is None else candidate.value
    said = _verdict(metric, slo, candidate, baseline)
    return limit_finding(metric, "limit", pairs, said, (value, bound_of(slo)))


def bound_of(slo: Slo) -> float:
    """Return the limit's value."""
    given = (slo.maximum, slo.minimum, slo.total)
    return next(value for value in given if value is not None)


def read(metric: Metric, slo: Slo, side: GroupSeries, last: int) -> Reading | None:
    """Compare one arm's newest periods, or its total, with the limit; None without data."""
    if slo.total is not None:
        seen = side.values[np.isfinite(side.values)]
        return Reading(float(seen.sum()), float(seen.sum()) > slo.total) if len(seen) else None
    values, samples = side.values[-last:], side.samples[-last:]
    fine = np.isfinite(values)
    if len(values) < last or not fine.all():
        return None
    if is_rate(metric):
        return _share(slo, values, samples)
    if slo.maximum is not None:
        return Reading(float(values.min()), bool((values > slo.maximum).all()))
    return Reading(float(values.max()), bool((values < (slo.minimum or 0.0)).all()))


def _share(
    slo: Slo,
    events: np.ndarray[tuple[int, ...], np.dtype[np.floating]],
    chances: np.ndarray[tuple[int, ...], np.dtype[np.floating]],
) -> Reading | None:
    total = float(np.nansum(chances))
    if total <= 0:
        return None
    count = float(events.sum())
    rate = count / total
    if slo.maximum is not None:
        surely = float(poisson_lower(count, CHANCE)) / total
        every = bool((events > slo.maximum * chances).all())
        return Reading(rate, every and surely > slo.maximum)
    return Reading(rate, bool((events < (slo.minimum or 0.0) * chances).all()))


def _verdict(
    metric: Metric, slo: Slo, candidate: Reading | None, baseline: Reading | None
) -> tuple[Verdict, str]:
    limit = bound_of(slo)
    share = is_rate(metric) and slo.total is None
    unit = f" of {chances_name(metric)}" if share else ""

    def words(value: float) -> str:
        return percent(value) if share else number(value)

    side = "at least" if slo.minimum is not None else "at most"
    allowed = f"Allowed: {side} {words(limit)}{unit}."
    if candidate is None:
        return Verdict.INCONCLUSIVE, f"too few values of the candidate yet. {allowed} {UNDECIDED}"
    seen = f"{words(candidate.value)}{unit} on the candidate"
    if not candidate.broken:
        return Verdict.PASS, f"{seen}. {allowed} PASS"
    if baseline is not None and baseline.broken:
        both = f"{seen}, and {words(baseline.value)} on the baseline, which breaks the limit too"
        return Verdict.INCONCLUSIVE, f"{both}. {allowed} {UNDECIDED}"
    return Verdict.FAIL, f"{seen}. {allowed} FAIL"
