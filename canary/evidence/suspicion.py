"""Suspicious values of metrics, which are not judged as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from canary.evidence.bad_baseline import counts_successes
from canary.evidence.counting import more_than_requests, not_a_count
from canary.evidence.coverage import apart, mirrored, other_period, partly
from canary.evidence.frozen import frozen
from canary.evidence.gaps import silent_metric
from canary.evidence.infinite import all_infinite, infinite_times, some_infinite
from canary.evidence.pairs import Pairs
from canary.evidence.pooling import needs_samples
from canary.evidence.share import share_of_successes
from canary.evidence.split import split_by_requests
from canary.evidence.table import Table
from canary.evidence.units import other_hosts, too_good, zeros
from canary.evidence.zero import all_negative, without_ratio, without_requests
from canary.formatting import number
from canary.policy import Metric, Policy

LITTLE = 30
"""Fewer requests per period than this are little traffic."""


def suspected(
    policy: Policy, table: Table, pairs: dict[str, Pairs], judged: tuple[tuple[int, ...], int]
) -> dict[str, Pairs]:
    """Return the pairs of all metrics, with their suspicions."""
    times, until = judged
    columns, ended = table.columns(times), table.ended(until)
    noted = infinite_times(table.recording, times)
    split = split_by_requests(policy, table, pairs)
    return {
        metric.name: replace(
            one,
            fault=_fault(metric, one, split)
            or all_infinite(metric, noted, one)
            or all_negative(metric, table, columns)
            or apart(table, one, columns)
            or not_a_count(metric, table, one, ended),
            doubt=some_infinite(metric, noted)
            or _doubt(policy, metric, table, one, more)
            or silent_metric(policy, metric, table, columns)
            or frozen(metric, table, columns),
            excess=more,
            remark=_little(metric, one) or share_of_successes(metric, one),
        )
        for metric in policy.metrics
        for one in (pairs[metric.name],)
        for more in (more_than_requests(metric, one),)
    }


def _fault(metric: Metric, pairs: Pairs, split: str) -> str:
    """Return why the metric cannot be compared at all, or an empty string."""
    return split if metric.kind == "throughput" else other_hosts(metric, pairs)


def _doubt(policy: Policy, metric: Metric, table: Table, pairs: Pairs, excess: str) -> str:
    """Return why the metric cannot PASS, or an empty string."""
    return (
        mirrored(metric, pairs)
        or without_requests(policy, metric, pairs)
        or other_period(table, pairs)
        or partly(table, pairs)
        or excess
        or too_good(metric, pairs)
        or zeros(metric, pairs)
        or without_ratio(policy, metric, pairs)
        or counts_successes(metric, pairs)
    )


def _little(metric: Metric, pairs: Pairs) -> str:
    """Return a remark on little traffic for an INCONCLUSIVE metric, or an empty string."""
    if not needs_samples(metric) or not pairs.both.any():
        return ""
    sides = (pairs.candidate.samples[pairs.both], pairs.baseline.samples[pairs.both])
    known = [side[np.isfinite(side)] for side in sides]
    least = min((float(np.median(side)) for side in known if len(side)), default=np.inf)
    if least >= LITTLE:
        return ""
    per = metric.per.removesuffix("s") if round(least) == 1 else metric.per
    return f"there is little traffic, about {number(least)} {per} a period"
