"""A host whose values stop changing in the middle of a run, as those of a stuck exporter do.

The last value from before a fault is then reported again and again, and hides the fault.
"""

from __future__ import annotations

import numpy as np

from canary.evidence.table import Columns, Table
from canary.formatting import listed, number
from canary.model import Arm
from canary.policy import Metric
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

LEAST = 6
"""The smallest number of newest periods with the same value."""
BY_CHANCE = 1e-6
"""The newest values are frozen if chance repeats them more seldom than this."""
KINDS = ("latency", "quantile", "throughput")


def frozen(metric: Metric, table: Table, columns: Columns) -> str:
    """Return a sentence about hosts whose newest values are all the same, or an empty string.

    Values that are rounded repeat by chance. So the repeats before, and those of the other hosts,
    say how often that happens.
    """
    if metric.kind not in KINDS or metric.counter is not None or len(columns) <= LEAST:
        return ""
    rows = {arm: table.host_rows(metric, arm, columns) for arm in Arm}
    newest = {arm: _newest_run(found.values) for arm, found in rows.items()}
    if max((int(run.max(initial=0)) for run in newest.values()), default=0) < LEAST:
        return ""
    usual = float(
        np.median(np.concatenate([_repeats(rows[arm].values, newest[arm]) for arm in Arm]))
    )
    said = []
    for arm, found in rows.items():
        chance = np.maximum(_repeats(found.values, newest[arm]), usual)
        stuck = (newest[arm] >= LEAST) & (chance ** (newest[arm] - 1) < BY_CHANCE)
        said += [
            f"the {arm}'s {found.hosts[row]} reported exactly {number(value)} in the last "
            f"{newest[arm][row]} periods"
            for row in np.flatnonzero(stuck).tolist()
            for value in (float(found.values[row, -1]),)
        ]
    return f"{listed(said)}; its source may be stuck" if said else ""


def _newest_run(values: Floats) -> Columns:
    """Return how many of the newest values of each host are the same, and not zero."""
    last = values[:, -1:]
    same: Mask = (values == last) & (last != 0)
    run: Columns = np.where(same.all(axis=1), same.shape[1], np.argmin(same[:, ::-1], axis=1))
    return np.where(same[:, -1], run, 0)


def _repeats(values: Floats, newest: Columns) -> Floats:
    """Return how often a value repeats the one before it, before the newest run; at least 1/n."""
    at = np.arange(1, values.shape[1])
    before = at[None, :] < (values.shape[1] - newest)[:, None]
    known = before & np.isfinite(values[:, 1:]) & np.isfinite(values[:, :-1])
    equal = known & (values[:, 1:] == values[:, :-1])
    shares: Floats = (equal.sum(axis=1) + 1.0) / (known.sum(axis=1) + 2.0)
    return shares
