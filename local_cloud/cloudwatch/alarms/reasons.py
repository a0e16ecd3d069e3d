"""The reason for the state of an alarm, as text and as data, in the wording of AWS."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local_cloud.cloudwatch.alarms.condition import Condition, Decision, Missing, Point, StateValue

WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
TREATED = {
    Missing.BREACHING: "Breaching",
    Missing.NOT_BREACHING: "NonBreaching",
    Missing.MISSING: "Missing",
    Missing.IGNORE: "Ignored",
}
CREATED = "Unchecked: Initial alarm creation"


def stamp(time: float) -> str:
    """Return a time as alarm messages spell it: 2022-09-25T18:50:37.811+0000."""
    whole = datetime.fromtimestamp(time, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{whole.microsecond // 1000:03d}+0000"


def reason(condition: Condition, decision: Decision) -> str:
    """Return the reason text for a decision.

    >>> condition = Condition("GreaterThanThreshold", 5.0, 1, 1)
    >>> reason(condition, Decision(StateValue.ALARM, (Point(1664131740, 6.0),)))[:66]
    'Threshold Crossed: 1 out of the last 1 datapoints [6.0 (25/09/22 1'
    """
    if decision.state is StateValue.INSUFFICIENT_DATA:
        return f"Insufficient Data: {_count(condition.periods)} {_were(condition.periods)} unknown."
    if not decision.points:
        return (
            f"Threshold Crossed: no datapoints were received for {condition.periods} "
            f"period{'s' * (condition.periods != 1)} and {_filled(condition, decision.filled)}."
        )
    return f"Threshold Crossed: {_seen(condition, decision)}"


def _seen(condition: Condition, decision: Decision) -> str:
    alarmed = decision.state is StateValue.ALARM
    telling = _listed(condition, decision, breaching=alarmed)
    if not decision.filled:
        needed = condition.datapoints if alarmed else condition.periods - condition.datapoints + 1
        change = "OK -> ALARM" if alarmed else "ALARM -> OK"
        return (
            f"{len(telling)} out of the last {condition.periods} datapoints "
            f"{_compared(condition, telling, breaching=alarmed)} "
            f"(minimum {_count(needed)} for {change} transition)."
        )
    parts = [f"{_count(len(telling))} {_compared(condition, telling, breaching=alarmed)}"]
    if condition.missing in (Missing.BREACHING, Missing.NOT_BREACHING):
        parts.append(_filled(condition, decision.filled))
    elif not telling:  # all breach, but they are too few and too recent
        breaching = _listed(condition, decision, breaching=True)
        few = f"only {_count(len(breaching))} {_compared(condition, breaching, breaching=True)}"
        return f"{few} (minimum {_count(condition.datapoints)} for OK -> ALARM transition)."
    return " and ".join(parts if telling else parts[1:]) + "."


def _listed(condition: Condition, decision: Decision, *, breaching: bool) -> list[Point]:
    """Return the points on one side of the threshold, newest first."""
    return [
        point
        for point in reversed(decision.points)
        if point.value is not None and condition.breached_by(point.value) == breaching
    ]


def _compared(condition: Condition, points: Sequence[Point], *, breaching: bool) -> str:
    listed = ", ".join(f"{point.value} ({_when(point)})" for point in points)
    stands = f"{'' if breaching else 'not '}{WORDS[condition.comparison]}"
    return f"[{listed}] {_were(len(points))} {stands} the threshold ({condition.threshold})"


def _filled(condition: Condition, filled: int) -> str:
    plural = "s were" if filled != 1 else " was"
    return f"{filled} missing datapoint{plural} treated as [{TREATED[condition.missing]}]"


def _count(number: int) -> str:
    return f"{number} datapoint{'s' * (number != 1)}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _when(point: Point) -> str:
    return f"{datetime.fromtimestamp(point.time, UTC):%d/%m/%y %H:%M:%S}"


def reason_data(
    condition: Condition,
    decision: Decision,
    counts: Mapping[int, float],
    *,
    now: float,
    statistic: str | None,
    period: int,
) -> str:
    """Return the reason data (JSON)."""
    points = [point for point in decision.points if point.value is not None]
    newest_first: Sequence[Point] = points[::-1]
    data: dict[str, Any] = {
        "version": "1.0",
        "queryDate": stamp(now),
        **({"startDate": stamp(points[0].time)} if points else {}),
        **({"statistic": statistic} if statistic else {}),
        "period": period,
        "recentDatapoints": [point.value for point in points],
        "threshold": condition.threshold,
        "evaluatedDatapoints": [
            {
                "timestamp": stamp(each.time),
                "sampleCount": counts.get(each.time),
                "value": each.value,
            }
            for each in newest_first
        ],
    }
    return json.dumps(data)
