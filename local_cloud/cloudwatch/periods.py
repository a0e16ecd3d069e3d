"""Valid periods, their start times, and the retention of data for each period.

Sources: API reference of GetMetricData (``MetricStat.Period``, ``StartTime``) and the user
guide's "Metrics retention".
"""

from __future__ import annotations

HOUR = 3600
DAY = 24 * HOUR
SUB_MINUTE = (1, 5, 10, 20, 30)
ALLOWED = "It must be 1, 5, 10, 20, 30, or a multiple of 60."

# Resolution in seconds, and the age up to which data have this resolution.
RETENTION = ((1, 3 * HOUR), (60, 15 * DAY), (300, 63 * DAY), (3600, 455 * DAY))


def is_valid(period: int) -> bool:
    """Return whether a request may use this period."""
    return period in SUB_MINUTE or (period > 0 and period % 60 == 0)


def is_valid_for_alarm(period: int) -> bool:
    """Return whether an alarm may use this period."""
    return period in (10, 20, 30) or (period > 0 and period % 60 == 0)


def floor(time: float, step: int) -> int:
    """Return the last multiple of ``step`` that is not after ``time``.

    >>> floor(1754.9, 10)
    1750
    """
    return int(time // step) * step


def resolution_at(age: float) -> int | None:
    """Return the resolution of data of this age; None if they have expired.

    >>> resolution_at(60), resolution_at(4 * HOUR), resolution_at(500 * DAY)
    (1, 60, None)
    """
    return next((step for step, kept in RETENTION if age < kept), None)


def reach(period: int) -> int:
    """Return the retention in seconds of data with this period.

    "Data points with a period of less than 60 seconds are available for 3 hours", and so on.

    >>> reach(10) // HOUR, reach(60) // DAY, reach(300) // DAY, reach(3600) // DAY
    (3, 15, 63, 455)
    """
    return next(kept for step, kept in reversed(RETENTION) if period % step == 0)


def round_start(start: float, period: int, now: float) -> int:
    """Round the start of a range down, as the API reference says.

    With a period below a minute, round to a multiple of the period. Otherwise round to a minute; to
    five minutes or an hour if the range starts more than 15 or 63 days ago.
    """
    if period < 60:
        return floor(start, period)
    return floor(start, max(60, resolution_at(now - start) or HOUR))
