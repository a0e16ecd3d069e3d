"""Metric math against the tables and examples of the user guide's "Use metric math"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_cloud.cloudwatch.errors import ValidationError
from local_cloud.cloudwatch.expressions import grammar
from tests.unit.local_cloud.cloudwatch_world import NOON, World, metric_query

Values = Sequence[float | None]
NO = None  # "where - indicates that there is no value for that timestamp"

# "Comparison and logical operators": its two series
COMPARED: dict[str, Values] = {"metric1": [30, 20, 0, 0], "metric2": [20, NO, 20, NO]}
# "Using IF expressions": its three series
CHOSEN: dict[str, Values] = {
    "metric1": [1, 1, 0, 0, NO],
    "metric2": [30, NO, 0, 0, 30],
    "metric3": [0, 0, 20, NO, 20],
}
TWO: dict[str, Values] = {"m1": [10, 20, 40, 40], "m2": [5, NO, 0, 4]}
GAPS: dict[str, Values] = {"m1": [NO, 4, NO, NO, 10, NO]}


def world_of(series: Mapping[str, Values]) -> World:
    """Publish one metric for each series, one value a minute."""
    world = World(now=NOON + 3600)
    for name, values in series.items():
        for minute, value in enumerate(values):
            if value is not None:
                world.put({"MetricName": name, "Value": value, "Timestamp": NOON + 60 * minute})
    return world


def queries_of(series: Mapping[str, Values], expression: str) -> list[dict[str, Any]]:
    metrics = [metric_query(name, name=name, wanted=False) for name in series]
    return [*metrics, {"Id": "e", "Expression": expression}]


def evaluate(series: Mapping[str, Values], expression: str) -> list[float | None]:
    """Return the expression's value for each minute that the series have."""
    minutes = max(len(values) for values in series.values())
    found = world_of(series).points(
        queries_of(series, expression), start=NOON, end=NOON + 60 * minutes
    )["e"]
    return [found.get(60 * minute) for minute in range(minutes)]


@pytest.mark.parametrize(
    ("series", "expression", "expected", "why"),
    [
        (COMPARED, "metric1 < metric2", [0, 0, 1, 0], "the guide's table, row 1"),
        (COMPARED, "metric1 >= 30", [1, 0, 0, 0], "the guide's table, row 2"),
        (COMPARED, "metric1 > 15 AND metric2 > 15", [1, 0, 0, 0], "the guide's table, row 3"),
        (COMPARED, "metric1 > 15 && metric2 > 15", [1, 0, 0, 0], "AND or &&"),
        (COMPARED, "metric1 == 20 OR metric1 == 30", [1, 1, 0, 0], "OR or ||"),
        (COMPARED, "metric1 == 20 || metric1 != 0", [1, 1, 0, 0], "OR or ||"),
        (COMPARED, "metric1 <= metric2", [0, 0, 1, 1], '"the missing value [...] as 0"'),
        (CHOSEN, "IF(metric1, metric2, metric3)", [30, 0, 20, NO, NO], "table of IF(m, m, m)"),
        (CHOSEN, "IF(metric1, 5, metric3)", [5, 5, 20, NO, NO], "table of IF(m, s, m)"),
        (CHOSEN, "IF(metric1, metric2, 5)", [30, 0, 5, 5, NO], "table of IF(m, m, s)"),
        (CHOSEN, "IF(1, metric2, metric3)", [30, NO, 0, 0, 30], "IF(scalar, m, m), true"),
        (CHOSEN, "IF(0, metric2, metric3)", [0, 0, 20, NO, 20], "IF(scalar, m, m), false"),
        (CHOSEN, "IF(0, metric2)", [NO] * 5, "an empty time series, if metric3 is omitted"),
        (TWO, "IF(m1 < 40, m1)", [10, 20, NO, NO], '"display only the low values of a metric"'),
        (TWO, "IF(m1 < 40, 10, 2)", [10, 10, 2, 2], '"change each data point [...] two values"'),
        (TWO, "IF(m1 > 15, 1, 0)", [0, 1, 1, 1], '"display a 1 [...] over the threshold"'),
        (TWO, "IF(-m2, 1, 0)", [1, NO, 0, 1], '"TRUE [...] whether [...] positive or negative"'),
        (TWO, "m1 + m2", [15, 20, 40, 44], '"Missing values in a time series are treated as 0"'),
        (TWO, "m1 - m2", [5, 20, 40, 36], '"Missing values in a time series are treated as 0"'),
        (TWO, "m1 / m2", [2, NO, NO, 10], '"divide by zero, the data point is dropped"'),
        (TWO, "5 * m1", [50, 100, 200, 200], "example 5 * m1"),
        (TWO, "-5 * m1", [-50, -100, -200, -200], "example -5*m1"),
        (TWO, "m1 ^ 2", [100, 400, 1600, 1600], "operator ^"),
        (TWO, "(m1 ^ 2 - m1) / (2 + 3) * 2", [36, 152, 624, 624], "the usual precedence"),
        (TWO, "PERIOD(m1)/60 * m1", [10, 20, 40, 40], "example PERIOD(m1)/60"),
        (TWO, "SUM(100/[m1, m2])", [30, 5, 2.5, 27.5], "example SUM(100/[m1, m2])"),
        (TWO, "SUM(-[m1, m2])", [-15, -20, -40, -44], "example SUM(-[m1, m2])"),
        (TWO, "SUM(METRICS())", [15, 20, 40, 44], "METRICS() returns all the metrics"),
        (TWO, 'SUM(METRICS("2"))', [5, NO, 0, 4], "METRICS with a part of the id"),
        (TWO, 'SUM([METRICS("1"), METRICS("2")])', [15, 20, 40, 44], "example of two strings"),
        (TWO, "AVG(METRICS())", [7.5, 10, 20, 22], 'AVG: "Missing values are treated as 0"'),
        (TWO, "MIN([m1, m2])", [5, 20, 0, 4], "MIN of an array"),
        (TWO, "MAX([m1, m2])", [10, 20, 40, 40], "MAX of an array"),
        (TWO, "MAX(m1)/m1", [4, 2, 1, 1], "example MAX(m1)/m1"),
        (TWO, "m1-MIN(m1)", [0, 10, 30, 30], "example m1-MIN(m1)"),
        (TWO, "m1-AVG(m1)", [-17.5, -7.5, 12.5, 12.5], "example m1-AVG(m1)"),
        (TWO, "m1*0+AVG(m2)", [2.25] * 4, 'AVG: "Missing values are treated as 0": 9 / 4'),
        (TWO, "m1*0+SUM(m2)/DATAPOINT_COUNT(m2)", [3] * 4, "averages of sparse metrics: 9 / 3"),
        (TWO, "SUM([m1,m2])/AVG(m1)", [15 / 27.5, 20 / 27.5, 40 / 27.5, 44 / 27.5], "AVG's first"),
        (TWO, "ABS(m2-m1)", [5, 20, 40, 36], "ABS"),
        (TWO, "CEIL(m1/7)", [2, 3, 6, 6], "smallest integer not below"),
        (TWO, "FLOOR(m1/7)", [1, 2, 5, 5], "largest integer not above"),
        (TWO, "DIFF(m1)", [NO, 10, 20, 0], "the value before, of the first there is none"),
        (TWO, "RATE(m1)", [NO, 10 / 60, 20 / 60, 0], '"divided by the time difference in seconds"'),
        (TWO, "RATE(m2)", [NO, NO, -5 / 120, 4 / 60], "between the two values there are"),
        (TWO, "DIFF_TIME(m2)", [NO, NO, 120, 60], "seconds between the two values"),
        (TWO, "RUNNING_SUM(m1)", [10, 30, 70, 110], "running sum"),
        (TWO, "TIME_SERIES(MAX(m1))", [40] * 4, "example TIME_SERIES(MAX(m1))"),
        (TWO, "m1/METRIC_COUNT(METRICS())", [5, 10, 20, 20], "example m1/METRIC_COUNT(METRICS())"),
        (GAPS, "FILL(m1, 0)", [0, 4, 0, 0, 10, 0], "FILL with a number"),
        (GAPS, "FILL(m1, REPEAT)", [NO, 4, 4, 4, 10, 10], "the most recent value before"),
        (GAPS, "FILL(m1, LINEAR)", [NO, 4, 6, 8, 10, NO], "between the ends of the gap"),
        (GAPS, "FILL(m1, MIN(m1))", [4, 4, 4, 4, 10, 4], "example FILL(m1, MIN(m1))"),
        (TWO, "FILL(m2, m1)", [5, 20, 0, 4], "example FILL(METRICS(), m1)"),
        ({"m1": [1, 1], "m2": [9, 9]}, "FIRST(SORT(METRICS(), AVG, DESC))", [9, 9], "SORT, FIRST"),
        ({"m1": [1, 1], "m2": [9, 9]}, "LAST(SORT(METRICS(), AVG, DESC))", [1, 1], "SORT, LAST"),
        ({"m1": [1, 1], "m2": [9, 9]}, "SUM(SORT(METRICS(), MAX, ASC, 1))", [1, 1], "SORT's limit"),
        ({"m1": [1, 1], "m2": [9, 9]}, "SUM(SLICE(METRICS(), 1))", [9, 9], "from the second on"),
        ({"m1": [1, 1], "m2": [9, 9]}, "SUM(SLICE(METRICS(), 0, 1))", [1, 1], "end is exclusive"),
        ({"m1": [7, 7]}, "HOUR(m1)", [12, 12], "noon"),
        ({"m1": [7, 7]}, "MINUTE(m1)", [0, 1], "of its timestamp"),
        ({"m1": [7, 7]}, "IF(DAY(m1)<6,m1)", [NO, NO], "2026-11-21 is a Saturday: only weekdays"),
    ],
)
def test_metric_math_is_what_aws_says(
    series: Mapping[str, Values], expression: str, expected: Values, why: str
) -> None:
    assert evaluate(series, expression) == pytest.approx(expected), why


def test_expressions_use_one_another_in_any_order() -> None:
    """GetMetricData: an expression "can also use the Id of other expressions"."""
    world = world_of(TWO)
    queries: list[dict[str, Any]] = [
        {"Id": "rate", "Expression": "100 * share", "Label": "Rate"},
        {"Id": "share", "Expression": "m2 / m1", "ReturnData": False},
        *queries_of(TWO, "m1"),
    ]
    found = world.points(queries, start=NOON, end=NOON + 240)
    assert found["rate"] == {0: 50.0, 60: 0.0, 120: 0.0, 180: 10.0}
    assert "share" not in found


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("m1 +", "Unexpected end of expression"),
        ("(m1", "Expected ')'"),
        ("m1 m2", "Unexpected 'm2'"),
        ("m1 $ m2", "Unexpected '$'"),
        ("[m1, m2", "Expected ','"),
        ("SUM(m1", "Expected ','"),
        ("nope + 1", "There is no query with the id 'nope'"),
        ("e + 1", "'e' refers to itself"),
        ("NOPE(m1)", "Unknown function 'NOPE'"),
        ("sum(m1)", "Unknown function 'sum'"),  # "All functions must be written in uppercase"
        ("AVG(m1)", "The result is not a time series"),  # "the final result [...] must be"
        ("5", "The result is not a time series"),
        ("IF(m1)", "IF takes 2 to 3 arguments, not 1"),
        ("ABS(m1, m2)", "ABS takes 1 argument, not 2"),
        ("FILL(m1, NEVER)", "not NEVER"),
        ("[m1, m2] + [m1, m2]", "does not work between two arrays"),
        ("SORT(METRICS(), ABS, ASC)", "AVG, MIN, MAX or SUM"),
        ("SORT(METRICS(), AVG, UP)", "ASC or DESC"),
        ('m1 + "text"', "needs a number or a time series"),
        ("RATE(5)", "not the number 5"),
        ("m1 + 1/0", "has no result"),
        ("SEARCH('{Shop} m', 'p101')", "p101 is not a statistic"),
        ("-" * 60 + "m1", "levels deep"),
        ("(" * 60 + "m1" + ")" * 60, "levels deep"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_a_sentence(expression: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        evaluate(TWO, expression)
    assert "Error in expression 'e'" in refused.value.message
    assert words in refused.value.message


@settings(max_examples=300)
@given(st.text(alphabet="m12 +-*/^()[],<>=&|\"'AVGIFSUM.", max_size=25))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    with suppress(grammar.ExpressionError):
        grammar.parse(text)


NUMBERS = st.integers(-9, 9)


@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from("+-*"), st.sampled_from("+-*"))
def test_precedence_is_pythons(a: int, b: int, c: int, first: str, second: str) -> None:
    text = f"{a} {first} {b} {second} {c}"
    (found,) = evaluate({"m1": [0]}, f"m1 + ({text})")
    assert found == eval(text)  # noqa: S307 - three numbers and two signs
