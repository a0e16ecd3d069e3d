"""One metric of an arm, as it is judged and drawn: its hosts pooled, each while it counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from canary.evidence.lifetimes import Members, members_of
from canary.evidence.pooling import GroupSeries, pooled
from canary.evidence.table import Columns, Table
from canary.policy import Metric


def whole_series(metric: Metric, table: Table, arm: str) -> GroupSeries:
    """Return a metric of an arm over all periods of the table."""
    columns = np.arange(len(table.times))
    return series_of(metric, table, arm, columns, members_of(table.groups[arm], columns))


def series_of(
    metric: Metric, table: Table, arm: str, columns: Columns, members: Members
) -> GroupSeries:
    """Return a metric of an arm, without hosts that are idle or still warming up.

    Events count from a host's first period on. A new host's failures are harm, but its slowness is
    not.
    """
    if metric.kind == "throughput":
        return _completed(table.series(metric, arm, columns), members)
    hidden = np.zeros_like(members.there)
    if metric.kind != "count":
        hidden = members.warming
    if metric.needs_equal_footing:
        hidden = hidden | members.idle[:, None]
    rows = table.host_rows(metric, arm, columns)
    if not hidden.any() or not rows.hosts:
        return table.series(metric, arm, columns)
    return pooled(metric, rows.hidden(members.of(hidden, rows.hosts)))


def _completed(series: GroupSeries, members: Members) -> GroupSeries:
    """Return throughput, raised by the share of hosts that lack a value: they also served requests.

    It is unknown while a host may serve without a report.
    """
    present = np.isfinite(series.host_values)
    unheard = members.unheard.any(axis=0)
    if unheard.any():
        series = replace(series, values=np.where(unheard, np.nan, series.values))
    due = np.maximum((members.of(members.there, series.hosts) | present).sum(axis=0), 1)
    count = present.sum(axis=0)
    if not count.any() or (count == due).all():
        return series
    return replace(series, values=series.values * due / np.maximum(count, 1))
