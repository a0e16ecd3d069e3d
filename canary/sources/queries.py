"""Turns the metrics of a policy into queries to a source."""

from __future__ import annotations

from collections.abc import Sequence

from canary.policy import Metric
from canary.sources.base import Query

_STATISTICS = {"mean": "Average", "sum": "Sum", "maximum": "Maximum", "minimum": "Minimum"}


def source_queries(metrics: Sequence[Metric]) -> tuple[Query, ...]:
    """Return one query for each metric of these that a source has to read."""
    return tuple(_query(metric) for metric in metrics if metric.counter is None)


def _query(metric: Metric) -> Query:
    statistic = _STATISTICS.get(metric.statistic_name, metric.statistic_name)
    return Query(
        metric=metric.name,
        name=metric.source_name,
        statistic=statistic,
        samples=_samples(metric),
        spread=metric.kind in ("latency", "quantile"),
    )


def _samples(metric: Metric) -> str | None:
    match metric.kind:
        case "count":
            return None if metric.per == "time" else metric.per
        case "throughput":
            return metric.source_name
        case _:
            return None
