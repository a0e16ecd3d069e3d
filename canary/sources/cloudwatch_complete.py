"""Checks that a response of GetMetricData is complete. Incomplete data are not judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from canary.errors import SourceError
from canary.formatting import minute

Points = dict[int, float]
TOGETHER = frozenset({"SampleCount", "Sum", "Average", "Minimum", "Maximum"})
"""Statistics that every datapoint has. Percentiles are not: a publisher may send sums alone."""


def require_complete(
    batch: Sequence[dict[str, Any]], status: Mapping[str, str], points: Mapping[str, Points]
) -> None:
    """Raise an error if the last page is partial, or if a datapoint lacks a statistic.

    An earlier page may be partial. A metric without any datapoint may have had no events, but a
    datapoint with a count and without an average shows that the response has a hole.
    """
    for query in batch:
        word = status.get(query["Id"], "missing from the response")
        if word != "Complete":
            raise _incomplete(query, word)
    whole: dict[str, tuple[str, Points]] = {}
    for query in batch:
        statistic, found = query["MetricStat"]["Stat"], points[query["Id"]]
        if statistic not in TOGETHER:
            continue
        other, known = whole.setdefault(_metric(query), (statistic, found))
        if torn := found.keys() ^ known.keys():
            has, lacks = (statistic, other) if min(torn) in found else (other, statistic)
            raise _incomplete(query, f"{has} without {lacks} at {minute(min(torn))}")


def _metric(query: dict[str, Any]) -> str:
    metric = query["MetricStat"]["Metric"]
    return str((metric["MetricName"], metric["Dimensions"]))


def _incomplete(query: dict[str, Any], how: str) -> SourceError:
    name = query["MetricStat"]["Metric"]["MetricName"]
    return SourceError(
        f"CloudWatch's response for {name} is not complete ({how}); incomplete data is not judged"
    )
