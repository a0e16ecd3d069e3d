"""Which instances reported metrics, by period."""

from __future__ import annotations

import math
from collections.abc import Iterable

from canary.model import Arm, Series


def reported_periods(series: Iterable[Series]) -> dict[tuple[Arm, str], set[int]]:
    """Return, for each instance, the starts of the periods in which it reported any value."""
    found: dict[tuple[Arm, str], set[int]] = {}
    for one in series:
        there = zip(one.times, one.values, strict=True)
        sent = {time for time, value in there if value is not None and math.isfinite(value)}
        found.setdefault((one.arm, one.instance), set()).update(sent)
    return found
