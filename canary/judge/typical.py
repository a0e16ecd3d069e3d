"""The typical latency distinguishes a fresh process from a release whose tail alone is worse."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from canary.evidence.pairs import Pairs
from canary.judge.acute import TAIL
from canary.judge.counts import Counts
from canary.judge.level import Level
from canary.judge.ratio import Ratio
from canary.policy import Metric, Policy

Model = Counts | Level | Ratio


def typical_latency(policy: Policy, names: Collection[str]) -> Metric | None:
    """Return the first latency of ``names`` that is not a tail quantile."""
    return next((m for m in policy.metrics if m.name in names and _typical(m)), None)


def _typical(metric: Metric) -> bool:
    return metric.kind in ("latency", "quantile") and (metric.quantile or 0.0) < TAIL


def with_typical_latency(pairs: Mapping[str, Pairs], policy: Policy) -> dict[str, Pairs]:
    """Return all pairs; those of a tail quantile get a reference to the typical latency."""
    known = [name for name, one in pairs.items() if not one.fault and one.both.any()]
    metric = typical_latency(policy, known)
    if metric is None:
        return dict(pairs)
    tails = {m.name for m in policy.metrics if m.kind == "quantile" and not _typical(m)}
    typical = metric, pairs[metric.name]
    return {
        name: replace(one, typical=typical) if name in tails else one for name, one in pairs.items()
    }


def with_typical_comparison(models: Sequence[Model], typical: Sequence[Model]) -> tuple[Model, ...]:
    """Return the comparisons of a tail with a reference to that of the typical latency."""
    beside = next((one for one in typical if isinstance(one, Ratio)), None)
    if beside is None:
        return tuple(models)
    return tuple(
        replace(one, typical=beside) if isinstance(one, Ratio) and one.rule.tail else one
        for one in models
    )
