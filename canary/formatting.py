"""Numbers, percentages and durations as text."""

from __future__ import annotations

import math


def duration(seconds: int) -> str:
    """Write seconds as a reader says them: "90 seconds", "6 minutes", "2.5 hours"."""
    for limit, unit, name in ((120, 1, "second"), (7200, 60, "minute"), (math.inf, 3600, "hour")):
        if seconds < limit:
            count = seconds / unit
            digits = f"{count:.0f}" if count == round(count) or count >= 20 else f"{count:.1f}"
            return f"{digits} {name}{'' if digits == '1' else 's'}"
    raise AssertionError(seconds)


def number(value: float) -> str:
    """Write a size with two or three telling digits: 0.4, 9.5, 12, 1,400."""
    size = abs(value)
    if size >= 9.95:
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0") if size >= 1 else f"{value:.2g}"


def percentage(share: float) -> str:
    """Write a fraction as a percentage: "12 %"."""
    return f"{number(share * 100)} %"
