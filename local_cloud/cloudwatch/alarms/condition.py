"""From data points to an alarm's state. Pure: no clock, no store.

The rules are those of the user guide, "Evaluating an alarm" and "Configuring how CloudWatch
alarms treat missing data"; its two tables, and more, are the test's. Two readings where the
guide is silent, both with ``missing`` or ``ignore``:

* The rule that the alarm goes to ALARM early holds only when every point seen breaches. So the
  guide's row ``0 - X - -`` (2 of 3) is OK, as it says there.
* Too few points, all breaching, and too young for that rule, such as ``- - - - X`` (3 of 3): it
  "does not go immediately into ALARM state"; ``missing`` gives OK, as for any other undecided
  row, and ``ignore`` keeps the state.
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


class StateValue(enum.StrEnum):
    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(enum.StrEnum):
    """How an alarm treats a period without data."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}

# How many more periods than asked for are looked at, so that a late point can be left out. The
# guide's example looks at 5 for 3 and says that the number depends on the period.
EXTRA_PERIODS = 2


@dataclass(frozen=True, slots=True)
class Point:
    """One period: when it began, and its value if it has data."""

    time: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Condition:
    """``datapoints`` out of ``periods`` must stand so to the threshold."""

    comparison: str
    threshold: float
    periods: int
    datapoints: int
    missing: Missing = Missing.MISSING

    def breached_by(self, value: float) -> bool:
        return COMPARISONS[self.comparison](value, self.threshold)

    @property
    def evaluation_range(self) -> int:
        """Return how many of the most recent periods are looked at."""
        return self.periods + EXTRA_PERIODS


@dataclass(frozen=True, slots=True)
class Decision:
    """The state to be in (None: the one it is in), and what that rests on.

    ``points`` are those that were evaluated, oldest first; ``filled`` is how many periods
    without data were counted besides.
    """

    state: StateValue | None
    points: tuple[Point, ...]
    filled: int = 0


def decide(condition: Condition, window: Sequence[Point]) -> Decision:
    """Return the state that the evaluation range, oldest period first, leads to."""
    real = tuple(point for point in window if point.value is not None)
    if len(real) >= condition.periods:
        points = real[-condition.periods :]
        breaching = _breaching(condition, points)
        return Decision(_state(reached=breaching >= condition.datapoints), points)
    filled = condition.periods - len(real)
    return Decision(_with_missing(condition, window, real, filled), real, filled)


def _breaching(condition: Condition, points: Sequence[Point]) -> int:
    return sum(point.value is not None and condition.breached_by(point.value) for point in points)


def _state(*, reached: bool) -> StateValue:
    return StateValue.ALARM if reached else StateValue.OK


def _with_missing(
    condition: Condition, window: Sequence[Point], real: Sequence[Point], filled: int
) -> StateValue | None:
    """Decide when fewer real points than periods are there."""
    breaching = _breaching(condition, real)
    if condition.missing is Missing.BREACHING:
        return _state(reached=breaching + filled >= condition.datapoints)
    if condition.missing is Missing.NOT_BREACHING or breaching >= condition.datapoints:
        return _state(reached=breaching >= condition.datapoints)
    if breaching < len(real):
        return StateValue.OK
    if condition.missing is Missing.IGNORE:
        return None
    if not real:
        return StateValue.INSUFFICIENT_DATA
    return _state(reached=_is_old_enough(condition, window))


def _is_old_enough(condition: Condition, window: Sequence[Point]) -> bool:
    """Tell whether the oldest point is at least as old as the data points to alarm.

    "Alarms are designed to always go into ALARM state when the oldest available breaching
    datapoint [...] is at least as old as the value of Datapoints to Alarm, and all other more
    recent data points are breaching or missing."
    """
    oldest = next(n for n, point in enumerate(window) if point.value is not None)
    return len(window) - oldest >= condition.datapoints
