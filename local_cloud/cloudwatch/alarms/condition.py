"""Evaluate data points to the state of an alarm. Pure: no clock, no store.

The rules are those of the user guide, "Evaluating an alarm" and "Configuring how CloudWatch alarms
treat missing data"; the tests contain its two tables and more. The guide leaves two cases open,
both with ``missing`` or ``ignore``:

* The alarm goes to ALARM early only if every existing point breaches. So the row ``0 - X - -`` (2
  of 3) of the guide is OK, as the guide says.
* Too few points that all breach and are too recent for that rule, such as ``- - - - X`` (3 of 3):
  the alarm "does not go immediately into ALARM state". ``missing`` gives OK, as for other undecided
  rows; ``ignore`` keeps the state.
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

# Additional periods that are read, so that a late point can be left out. The
# example in the guide reads 5 periods for 3, and says that the number depends on the period.
EXTRA_PERIODS = 2


@dataclass(frozen=True, slots=True)
class Point:
    """One period: its start, and its value if it has data."""

    time: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Condition:
    """The alarm condition: ``datapoints`` out of ``periods`` breach the threshold."""

    comparison: str
    threshold: float
    periods: int
    datapoints: int
    missing: Missing = Missing.MISSING

    def breached_by(self, value: float) -> bool:
        return COMPARISONS[self.comparison](value, self.threshold)

    @property
    def evaluation_range(self) -> int:
        """Return how many of the most recent periods are evaluated."""
        return self.periods + EXTRA_PERIODS


@dataclass(frozen=True, slots=True)
class Decision:
    """The new state (None: no change), and the data behind it.

    ``points`` are the evaluated points, oldest first. ``filled`` is the number of periods without
    data that were counted too.
    """

    state: StateValue | None
    points: tuple[Point, ...]
    filled: int = 0


def decide(condition: Condition, window: Sequence[Point]) -> Decision:
    """Return the state that follows from the evaluation range, oldest period first."""
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
    """Decide when some periods have no data."""
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
    """Return whether the oldest point is at least as old as "datapoints to alarm".

    "Alarms are designed to always go into ALARM state when the oldest available breaching
    datapoint [...] is at least as old as the value of Datapoints to Alarm, and all other more
    recent data points are breaching or missing."
    """
    oldest = next(n for n, point in enumerate(window) if point.value is not None)
    return len(window) - oldest >= condition.datapoints
