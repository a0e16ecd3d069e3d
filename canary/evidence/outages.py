"""A note on an outage that is over: periods in which most requests failed.

A mean over the run limits the weight of such periods, and those of the warm-up are not judged. So
a canary may pass although its users met an outage. The note says when.
"""

from __future__ import annotations

import numpy as np

from canary.evidence.pooling import GroupSeries, is_rate
from canary.evidence.table import Columns, Table
from canary.formatting import minute, number, percent, plural
from canary.model import Arm
from canary.policy import Metric
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

MORE, TIMES = 0.2, 9.0
"""An outage: this many more of all requests failed, and this many times as many as elsewhere."""
FEWEST = 10
"""The smallest number of failures in a period."""
SLOWER = 5.0
"""A latency of an outage, in times the baseline's."""
NEWEST = 3
"""The verdict itself speaks of these newest periods."""


def outage(metric: Metric, table: Table, until: int, judged: tuple[int, ...]) -> str:
    """Return a note on the periods of an outage, or an empty string.

    An outage that lasts is no matter for a note: the newest periods withhold PASS.
    """
    columns = table.ended(until)
    columns = columns[table.step[columns] >= 0]
    if len(columns) <= NEWEST or metric.harmful == "decrease":
        return ""
    sides = [table.series(metric, arm, columns) for arm in (Arm.CANDIDATE, Arm.BASELINE)]
    if metric.kind == "count" and is_rate(metric) and metric.is_failure:
        bad, words = _failed(*sides)
    elif metric.kind in ("latency", "quantile") and metric.counter is None:
        bad, words = _slow(*sides)
    else:
        return ""
    if not bad.any() or bad[-NEWEST:].any():
        return ""
    return f"{metric.name}: {words} in {_when(table, columns[bad], judged)}"


def _failed(candidate: GroupSeries, baseline: GroupSeries) -> tuple[Mask, str]:
    rates = [_ratio(side.values, side.samples) for side in (candidate, baseline)]
    bad: Mask = (rates[0] - rates[1] >= MORE) & (rates[0] >= TIMES * rates[1])
    bad &= candidate.values >= FEWEST
    shares = [
        percent(float(side.values[bad].sum() / max(side.samples[bad].sum(), 1.0)))
        for side in (candidate, baseline)
    ]
    return bad, f"{shares[0]} of the candidate's requests failed and {shares[1]} of the baseline's"


def _slow(candidate: GroupSeries, baseline: GroupSeries) -> tuple[Mask, str]:
    times = _ratio(candidate.values, baseline.values)
    bad: Mask = times >= SLOWER
    most = number(float(times[bad].max())) if bad.any() else ""
    return bad, f"the candidate was up to {most} times as slow as the baseline"


def _ratio(part: Floats, whole: Floats) -> Floats:
    known = np.isfinite(part) & np.isfinite(whole) & (whole > 0)
    return np.where(known, part, 0.0) / np.where(known, whole, 1.0)


def _when(table: Table, columns: Columns, judged: tuple[int, ...]) -> str:
    """Return which periods these are: "3 periods from 10:00 to 10:03 (UTC), all in the warm-up"."""
    times, period = table.times[columns], table.recording.period
    first, last = minute(int(times[0])), minute(int(times[-1]) + period)
    warm = int((times < judged[0]).sum()) if judged else len(times)
    where = ""
    if warm:
        part = "all" if warm == len(times) else f"{warm}"
        where = f"; {part} of them in the warm-up, which is not judged"
    return f"{plural(len(times), 'period')} between {first} and {last} (UTC){where}"
