"""The alarm evaluator against the user guide's "Evaluating an alarm" and its two tables.

Data points as the guide writes them: 0 does not breach, X breaches, - is missing, the most recent
on the right. ``keep`` is "Retain current state".
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_cloud.cloudwatch.alarms.condition import (
    COMPARISONS,
    Condition,
    Decision,
    Missing,
    Point,
    StateValue,
    decide,
)
from local_cloud.cloudwatch.alarms.reasons import reason

OK, ALARM, UNKNOWN = StateValue.OK, StateValue.ALARM, StateValue.INSUFFICIENT_DATA
KEEP = None
TREATMENTS = (Missing.MISSING, Missing.IGNORE, Missing.BREACHING, Missing.NOT_BREACHING)
VALUES = {"0": 0.0, "X": 10.0, "-": None}


def window_of(drawn: str) -> list[Point]:
    return [Point(60 * n, VALUES[each]) for n, each in enumerate(drawn.split())]


def decided(drawn: str, datapoints: int, periods: int, missing: Missing) -> Decision:
    condition = Condition("GreaterThanThreshold", 5.0, periods, datapoints, missing)
    return decide(condition, window_of(drawn))


# (data points, M, N, the state for missing, ignore, breaching, notBreaching, where it is said)
TABLE = [
    ("0 - X - X", 3, 3, OK, OK, OK, OK, "table 1, row 1"),
    ("0 - - - -", 3, 3, OK, OK, OK, OK, "table 1, row 2"),
    ("- - - - -", 3, 3, UNKNOWN, KEEP, ALARM, OK, "table 1, row 3"),
    ("0 X X - X", 3, 3, ALARM, ALARM, ALARM, ALARM, "table 1, row 4"),
    ("- - X - -", 3, 3, ALARM, KEEP, ALARM, OK, "table 1, row 5"),
    ("0 - X - X", 2, 3, ALARM, ALARM, ALARM, ALARM, "table 2, row 1"),
    ("0 0 X 0 X", 2, 3, ALARM, ALARM, ALARM, ALARM, "table 2, row 2"),
    ("0 - X - -", 2, 3, OK, OK, ALARM, OK, "table 2, row 3"),
    ("- - - - 0", 2, 3, OK, OK, ALARM, OK, "table 2, row 4"),
    ("- - - X -", 2, 3, ALARM, KEEP, ALARM, OK, "table 2, row 5"),
    # "the alarm does not go immediately into ALARM state when the data is either - - - - X or
    # - - - X - and Datapoints to Alarm is 3"
    ("- - - - X", 3, 3, OK, KEEP, ALARM, OK, "premature transitions, first example"),
    ("- - - X -", 3, 3, OK, KEEP, ALARM, OK, "premature transitions, second example"),
    # "when the next data point is non-breaching and causes the data to be - - - X 0 or - - X - 0"
    ("- - - X 0", 3, 3, OK, OK, OK, OK, "premature transitions, what comes next"),
    ("- - X - 0", 3, 3, OK, OK, OK, OK, "premature transitions, what comes next"),
    # "the oldest available breaching datapoint [...] at least as old as [...] Datapoints to Alarm,
    # and all other more recent data points are breaching or missing"
    ("- - X - X", 3, 3, ALARM, KEEP, ALARM, OK, "premature rule, breaching and missing"),
    ("- - X X -", 3, 3, ALARM, KEEP, ALARM, OK, "premature rule, breaching and missing"),
    ("X - - - -", 3, 3, ALARM, KEEP, ALARM, OK, "premature rule, the oldest of the range"),
    ("- X - - -", 2, 3, ALARM, KEEP, ALARM, OK, "premature rule, M out of N"),
    ("- - - - X", 2, 3, OK, KEEP, ALARM, OK, "premature rule, M out of N, too young"),
    # "The breaching data points don't have to be consecutive, but they must all be within the
    # last number of data points equal to Evaluation Period"
    ("X X 0 0 X", 2, 3, OK, OK, OK, OK, "M out of N, older ones do not count"),
    ("0 0 X X X", 3, 3, ALARM, ALARM, ALARM, ALARM, "figure: third to fifth period"),
    ("0 X X X 0", 3, 3, OK, OK, OK, OK, "figure: sixth period, back to OK"),
    ("0 0 0 0 X", 3, 3, OK, OK, OK, OK, "figure: ninth period, one is not enough"),
    ("X X X X X", 3, 3, ALARM, ALARM, ALARM, ALARM, "all breach"),
    ("0 0 0 0 0", 3, 3, OK, OK, OK, OK, "none breaches"),
    ("0 0 0", 1, 1, OK, OK, OK, OK, "1 out of 1"),
    ("0 0 X", 1, 1, ALARM, ALARM, ALARM, ALARM, "1 out of 1"),
    ("X X 0", 1, 1, OK, OK, OK, OK, "1 out of 1: the most recent decides"),
    # "evaluates the alarm state based on the most recent real data points [...] including the
    # necessary extra data points from farther back in the evaluation range"
    ("0 X -", 1, 1, ALARM, ALARM, ALARM, ALARM, "1 out of 1, the most recent real one"),
    ("X 0 -", 1, 1, OK, OK, OK, OK, "1 out of 1, the most recent real one"),
    ("0 - -", 1, 1, OK, OK, OK, OK, "1 out of 1, farther back"),
    ("X - -", 1, 1, ALARM, ALARM, ALARM, ALARM, "1 out of 1, farther back"),
    ("- - -", 1, 1, UNKNOWN, KEEP, ALARM, OK, "1 out of 1, nothing in range"),
    ("X X X - -", 3, 3, ALARM, ALARM, ALARM, ALARM, "three real ones, farther back"),
    ("X 0 X - -", 3, 3, OK, OK, OK, OK, "three real ones, farther back"),
    ("X 0 X - -", 2, 3, ALARM, ALARM, ALARM, ALARM, "three real ones, 2 of 3"),
    # "fills in the missing data points with the result you specified [...] However, all real data
    # points in the evaluation range are included. [It] uses missing data points only as few times
    # as possible"
    ("X - - - 0", 2, 3, OK, OK, ALARM, OK, "two real, one filled"),
    ("X - - - 0", 3, 3, OK, OK, OK, OK, "two real, one filled: at most 2 of 3"),
    ("X X - - -", 2, 3, ALARM, ALARM, ALARM, ALARM, "two real are enough of 2 of 3"),
    ("X X - - -", 3, 3, ALARM, KEEP, ALARM, OK, "two real, one filled"),
    ("- - - 0 X", 1, 3, ALARM, ALARM, ALARM, ALARM, "one real is enough of 1 of 3"),
    ("- - - 0 -", 1, 3, OK, OK, ALARM, OK, "filled ones breach 1 of 3"),
    ("- - - - - -", 1, 4, UNKNOWN, KEEP, ALARM, OK, "nothing in range, 1 of 4"),
    ("0 X 0 X X X 0", 4, 5, OK, OK, OK, OK, "4 of 5: three of the last five"),
    ("0 X X X 0 X X", 4, 5, ALARM, ALARM, ALARM, ALARM, "4 of 5: four of the last five"),
    ("0 X - X - X X", 4, 5, ALARM, ALARM, ALARM, ALARM, "4 of 5: four of five real"),
    ("- X - X - - X", 4, 5, ALARM, KEEP, ALARM, OK, "4 of 5: three real, all breach, old enough"),
    ("- - - X - - X", 4, 5, ALARM, KEEP, ALARM, OK, "4 of 5: two real, the older 4 old"),
    ("- - - - X - X", 4, 5, OK, KEEP, ALARM, OK, "4 of 5: two real, the older 3 old"),
]
CASES = [
    (drawn, datapoints, periods, missing, states[n], why)
    for drawn, datapoints, periods, *states, why in TABLE
    for n, missing in enumerate(TREATMENTS)
]


@pytest.mark.parametrize(
    ("drawn", "datapoints", "periods", "missing", "expected", "why"),
    CASES,
    ids=[f"{d} {m} of {n} {treated}" for d, m, n, treated, _, _ in CASES],
)
def test_an_alarm_is_in_the_state_the_guide_says(
    drawn: str,
    datapoints: int,
    periods: int,
    missing: Missing,
    expected: StateValue | None,
    why: str,
) -> None:
    condition = Condition("GreaterThanThreshold", 5.0, periods, datapoints, missing)
    assert len(window_of(drawn)) == condition.evaluation_range
    assert decided(drawn, datapoints, periods, missing).state is expected, why


@pytest.mark.parametrize(
    ("drawn", "filled"),
    [("0 - X - X", 0), ("0 - - - -", 2), ("- - - - -", 3), ("0 X X - X", 0), ("- - X - -", 2)],
)
def test_as_many_are_filled_as_the_guide_says(drawn: str, filled: int) -> None:
    """Table 1, column "# of data points that must be filled"."""
    assert decided(drawn, 3, 3, Missing.BREACHING).filled == filled


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [
        ("GreaterThanThreshold", OK, OK, ALARM),
        ("GreaterThanOrEqualToThreshold", OK, ALARM, ALARM),
        ("LessThanThreshold", ALARM, OK, OK),
        ("LessThanOrEqualToThreshold", ALARM, ALARM, OK),
    ],
)
def test_comparisons(
    comparison: str, below: StateValue, equal: StateValue, above: StateValue
) -> None:
    """API PutMetricAlarm: "The specified statistic value is used as the first operand"."""
    condition = Condition(comparison, 5.0, 1, 1)
    found = [decide(condition, [Point(0, value)]).state for value in (4.0, 5.0, 6.0)]
    assert found == [below, equal, above]
    assert set(COMPARISONS) >= {comparison}


WINDOWS = st.lists(st.sampled_from("0X-"), min_size=5, max_size=5).map(" ".join)


@settings(max_examples=243)
@given(WINDOWS, st.integers(1, 3))
def test_what_holds_for_every_window(drawn: str, datapoints: int) -> None:
    by = {each: decided(drawn, datapoints, 3, each).state for each in TREATMENTS}
    # Only with nothing to go by is the state unknown, or missing data treated as breaching
    # milder than as not breaching.
    assert (by[Missing.MISSING] is UNKNOWN) == (set(drawn) <= {"-", " "})
    assert by[Missing.NOT_BREACHING] is OK or by[Missing.BREACHING] is ALARM
    # Missing data alone decides nothing where all five periods have data.
    if "-" not in drawn:
        assert len(set(by.values())) == 1


# Sentences as AWS wrote them, from alarm notifications published in public repositories; the
# numbers in them are the data.
@pytest.mark.parametrize(
    ("condition", "points", "sentence"),
    [
        (
            Condition("GreaterThanThreshold", 5.0, 1, 1),
            [Point(1664131740, 6.0)],
            "Threshold Crossed: 1 out of the last 1 datapoints [6.0 (25/09/22 18:49:00)] was "
            "greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            Condition("LessThanThreshold", 1.0, 1, 1),
            [Point(1661485200, 3.6266666666666665)],
            "Threshold Crossed: 1 out of the last 1 datapoints [3.6266666666666665 "
            "(26/08/22 03:40:00)] was not less than the threshold (1.0) (minimum 1 datapoint for "
            "ALARM -> OK transition).",
        ),
        (
            Condition("GreaterThanThreshold", 5.0, 3, 2),
            [Point(0, 9.0), Point(60, 1.0), Point(120, 8.0)],
            "Threshold Crossed: 2 out of the last 3 datapoints [8.0 (01/01/70 00:02:00), 9.0 "
            "(01/01/70 00:00:00)] were greater than the threshold (5.0) (minimum 2 datapoints for "
            "OK -> ALARM transition).",
        ),
        (
            Condition("LessThanThreshold", 20.0, 2, 2),
            [Point(1709906160, 0.0), Point(1709906220, None), Point(1709906280, None)],
            "Threshold Crossed: 1 datapoint [0.0 (08/03/24 13:56:00)] was less than the threshold "
            "(20.0).",
        ),
        (
            Condition("GreaterThanThreshold", 5.0, 1, 1),
            [Point(0, None)],
            "Insufficient Data: 1 datapoint was unknown.",
        ),
        (
            Condition("GreaterThanThreshold", 5.0, 3, 3, Missing.BREACHING),
            [Point(0, None)],
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing "
            "datapoints were treated as [Breaching].",
        ),
        (
            Condition("GreaterThanThreshold", 5.0, 3, 3, Missing.NOT_BREACHING),
            [Point(0, 1.0)],
            "Threshold Crossed: 1 datapoint [1.0 (01/01/70 00:00:00)] was not greater than the "
            "threshold (5.0) and 2 missing datapoints were treated as [NonBreaching].",
        ),
        (
            Condition("GreaterThanThreshold", 5.0, 3, 2, Missing.BREACHING),
            [Point(0, 1.0)],
            "Threshold Crossed: 2 missing datapoints were treated as [Breaching].",
        ),
        (
            Condition("GreaterThanThreshold", 5.0, 3, 3),
            [Point(0, None), Point(60, 6.0)],
            "Threshold Crossed: only 1 datapoint [6.0 (01/01/70 00:01:00)] was greater than the "
            "threshold (5.0) (minimum 3 datapoints for OK -> ALARM transition).",
        ),
    ],
)
def test_the_reason_is_worded_as_aws_words_it(
    condition: Condition, points: list[Point], sentence: str
) -> None:
    assert reason(condition, decide(condition, points)) == sentence
