"""GetMetricData's statistics against AWS's definitions.

Every case quotes the sentence that gives the number. "Definitions" is the user guide's page
"CloudWatch statistics definitions", "Publish" its "Publish custom metrics", "Concepts" its
"Amazon CloudWatch concepts".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from local_cloud.cloudwatch import statistics
from tests.unit.local_cloud.cloudwatch_world import NOON, World, dimensions, metric_query

HUNDRED = {"Values": [float(n) for n in range(1, 101)], "Timestamp": NOON - 60}  # 1, 2, ... 100
FIFTEEN = {"Values": [float(n) for n in range(1, 16)], "Timestamp": NOON - 60}
LATENCIES = {"Values": [0.005, 0.01, 0.02, 0.03, 0.5], "Timestamp": NOON - 60}
SPREAD = {"Values": [100.0, 150.0, 151.0, 300.0, 1000.0, 1001.0, 2000.0], "Timestamp": NOON - 60}
SKEWED = {"Values": [1.0, 10.0, 1000.0], "Counts": [90.0, 9.0, 1.0], "Timestamp": NOON - 60}
VIEWS = [{"Value": value, "Timestamp": NOON - 60 + n} for n, value in enumerate((2, 4, 5))]
VIEW_SET = {
    "StatisticValues": {"Sum": 11, "Minimum": 2, "Maximum": 5, "SampleCount": 3},
    "Timestamp": NOON - 60,
}

# (statistic, data, expected, the sentence that says so)
CASES: list[tuple[str, Sequence[dict[str, Any]], float, str]] = [
    ("SampleCount", VIEWS, 3.0, 'Publish, PageViewCount 2, 4, 5: "SampleCount": 3.0'),
    ("Sum", VIEWS, 11.0, 'Publish, PageViewCount: "Sum": 11.0'),
    ("Average", VIEWS, 3.6666666666666665, 'Publish, PageViewCount: "Average": 3.6666666666666665'),
    ("Maximum", VIEWS, 5.0, 'Publish, PageViewCount: "Maximum": 5.0'),
    ("Minimum", VIEWS, 2.0, 'Publish, PageViewCount: "Minimum": 2.0'),
    ("Sum", [VIEW_SET], 11.0, "Publish: Sum=11,Minimum=2,Maximum=5,SampleCount=3 in one call"),
    ("Average", [VIEW_SET], 11 / 3, 'Definitions: "Average is the value of Sum/SampleCount"'),
    ("SampleCount", [SKEWED], 100.0, "API MetricDatum: Counts is how often each value occurred"),
    ("Sum", [SKEWED], 1180.0, "90*1 + 9*10 + 1*1000; API MetricDatum, Values and Counts"),
    ("p50", [HUNDRED], 50.0, 'Definitions: "p95 [...] 95 percent of the data [...] is lower"'),
    ("p90", [HUNDRED], 90.0, 'Definitions: p99 is "the maximum value of the remaining 99%"'),
    ("p95", [HUNDRED], 95.0, 'Definitions: p99 is "the maximum value of the remaining 99%"'),
    ("p99", [HUNDRED], 99.0, 'Definitions: p99 is "the maximum value of the remaining 99%"'),
    ("p99.9", [HUNDRED], 100.0, "no whole sample of 100 is among the highest 0.1 %"),
    ("p100", [HUNDRED], 100.0, "API GetMetricStatistics: values between p0.0 and p100"),
    ("p0.0", [HUNDRED], 1.0, "API GetMetricStatistics: values between p0.0 and p100"),
    ("p95.0123456789", [HUNDRED], 96.0, 'Concepts: "up to ten decimal places"'),
    ("p90", [SKEWED], 1.0, "90 of 100 samples are 1"),
    ("p99", [SKEWED], 10.0, "the one sample of 1000 is the highest 1 %"),
    ("tm99", [SKEWED], (90 + 90) / 99, 'Definitions: tm99 "ignoring the 1% [...] highest"'),
    ("tm90", [HUNDRED], 45.5, 'Definitions: tm90 "after removing the 10% [...] highest values"'),
    ("tm99", [HUNDRED], 50.0, "mean of 1 to 99"),
    ("TM(:99%)", [HUNDRED], 50.0, 'Definitions: tm99 "is the same as TM(:99%)"'),
    ("TM(2%:98%)", [HUNDRED], 50.5, 'Definitions: "removing the 2% lowest [...] 2% highest"'),
    ("TM(10%:90%)", [FIFTEEN], 8.0, "1.5 of 15 is one whole sample at either end"),
    ("TC(10%:90%)", [FIFTEEN], 13.0, "1.5 of 15 is one whole sample at either end"),
    ("TC(10%:)", [FIFTEEN], 14.0, "1.5 of 15 is one whole sample"),
    ("TM(10%:)", [HUNDRED], 55.5, 'Definitions: TM(10%:) "disregards the lowest 10%"'),
    (
        "TM(150:1000)",
        [SPREAD],
        (151 + 300 + 1000) / 3,
        'Definitions: "removing all data points that are lower than or equal to 150, or higher '
        'than 1000"',
    ),
    ("IQM", [HUNDRED], 50.5, "mean of 26 to 75, the middle half"),
    ("IQM", [SKEWED], 1.0, 'Definitions: IQM "is equivalent to TM(25%:75%)"'),
    (
        "wm98",
        [HUNDRED],
        (sum(range(1, 99)) + 2 * 98) / 100,
        'Definitions: "treating the 2% of the highest values to be equal to the value at the '
        '98th percentile"',
    ),
    (
        "WM(10%:90%)",
        [HUNDRED],
        (10 * 10 + sum(range(11, 91)) + 10 * 90) / 100,
        'Definitions: "the highest 10% [...] the value of the 90% boundary, [...] the lowest 10% '
        '[...] the value of the 10% boundary"',
    ),
    (
        "WM(80:500)",
        [SPREAD],
        (100 + 150 + 151 + 300 + 500 * 3) / 7,
        'Definitions: "values that are outside the boundary [...] considered to be equal to the '
        'value at the edge"',
    ),
    (
        "PR(:300)",
        [SPREAD],
        100 * 4 / 7,
        'Definitions: "percentage of data points that have a value of 300 or less"',
    ),
    (
        "PR(100:2000)",
        [SPREAD],
        100 * 6 / 7,
        "Definitions: bins PR(:1), PR(1:5), PR(5:10) make a histogram, so the lower bound is out",
    ),
    ("PR(:10)", [SKEWED], 99.0, "99 of 100 samples are 10 or less"),
    ("tc90", [HUNDRED], 90.0, 'Definitions: "not including [...] the highest 10% of the values"'),
    (
        "TC(0.005:0.030)",
        [LATENCIES],
        3.0,
        'Definitions: "between 0.005 (exclusive) and 0.030 (inclusive)"',
    ),
    ("TC(:0.5)", [LATENCIES], 5.0, 'Definitions: "only the values that equal 0.5 or are lower"'),
    ("TC(500:600)", [LATENCIES], 0.0, "a count of none is a number"),
    ("ts90", [HUNDRED], 4095.0, 'Definitions: "equivalent to (Trimmed Mean) * (Trimmed count)"'),
    ("TS(80%:)", [HUNDRED], 1810.0, "81 + ... + 100: without the lowest 80 %"),
]


@pytest.mark.parametrize(
    ("statistic", "data", "expected", "why"),
    CASES,
    ids=[f"{statistic}-{n}" for n, (statistic, *_) in enumerate(CASES)],
)
def test_a_statistic_is_what_aws_says(
    statistic: str, data: Sequence[dict[str, Any]], expected: float, why: str
) -> None:
    world = World()
    world.put(*data)
    assert world.series(statistic) == {0: pytest.approx(expected, rel=1e-12)}, why


NOT_RAW = 'Definitions: "CloudWatch needs raw data points to calculate"'


@pytest.mark.parametrize("statistic", ["p50", "tm99", "IQM", "wm98", "ts90", "tc90", "PR(:3)"])
@pytest.mark.parametrize(
    ("datum", "why"),
    [
        (VIEW_SET, NOT_RAW),
        ({"Values": [-1.0, 5.0], "Timestamp": NOON - 60}, '"[...] values are negative numbers"'),
    ],
    ids=["statistic set", "negative"],
)
def test_no_percentile_without_raw_values_that_are_not_negative(
    datum: dict[str, Any], why: str, statistic: str
) -> None:
    world = World()
    world.put(datum)
    assert world.series(statistic) == {}, why
    assert world.series("Sum") != {}


@pytest.mark.parametrize(
    "summary",
    [
        {"SampleCount": 1, "Sum": 7, "Minimum": 7, "Maximum": 7},
        {"SampleCount": 4, "Sum": 28, "Minimum": 7, "Maximum": 7},
    ],
    ids=["one sample", "all samples equal"],
)
def test_percentiles_of_statistic_sets_that_say_every_value(summary: dict[str, float]) -> None:
    """Definitions: "The Min and Max are equal, and Sum is equal to Min multiplied by..."."""
    world = World()
    world.put({"StatisticValues": summary, "Timestamp": NOON - 60})
    assert world.series("p99") == {0: 7.0}


def test_percentiles_need_a_sum_that_fits() -> None:
    world = World()
    summary = {"SampleCount": 4, "Sum": 99, "Minimum": 7, "Maximum": 7}
    world.put({"StatisticValues": summary, "Timestamp": NOON - 60})
    assert world.series("p99") == {}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"Server": "Prod", "Domain": "Frankfurt"}, 105.0),
        ({"Domain": "Frankfurt", "Server": "Prod"}, 105.0),
        ({"Server": "Prod", "Domain": "Rio"}, 95.0),
        ({"Server": "Beta", "Domain": "Frankfurt"}, 115.0),
        ({"Server": "Beta", "Domain": "Rio"}, 97.0),
        ({"Server": "Prod"}, None),
        ({"Domain": "Rio"}, None),
        ({}, None),
    ],
)
def test_dimensions_must_be_just_those_published(
    asked: dict[str, str], expected: float | None
) -> None:
    """Concepts, "Dimension combinations", its four ServerStats metrics and what cannot be had."""
    world = World()
    published = [
        ("Prod", "Frankfurt", 105.0),
        ("Beta", "Frankfurt", 115.0),
        ("Prod", "Rio", 95.0),
        ("Beta", "Rio", 97.0),
    ]
    for server, domain, value in published:
        named = dimensions(Server=server, Domain=domain)
        world.put({"Dimensions": named, "Value": value, "Timestamp": NOON - 60, "Unit": "Count"})
    found = world.series("Sum", dimensions=dimensions(**asked))
    assert found == ({} if expected is None else {0: expected})


def test_namespaces_are_apart() -> None:
    """Concepts: "Metrics in different namespaces are isolated from each other"."""
    world = World()
    world.put({"Value": 1, "Timestamp": NOON - 60})
    world.put({"Value": 100, "Timestamp": NOON - 60}, namespace="Other")
    other = {**metric_query("q", namespace="Other")}
    assert world.series("Sum") == {0: 1.0}
    assert world.points([other]) == {"q": {0: 100.0}}


def test_a_unit_asked_for_is_the_only_one_read() -> None:
    """API MetricStat.Unit: "returns only data that was collected with that unit specified"."""
    world = World()
    world.put(
        {"Value": 1, "Unit": "Seconds", "Timestamp": NOON - 60},
        {"Value": 10, "Unit": "Count", "Timestamp": NOON - 60},
    )
    assert world.series("Sum", unit="Seconds") == {0: 1.0}
    assert world.series("Sum", unit="Bytes") == {}


@pytest.mark.parametrize(
    "name",
    [
        *("", "p", "p101", "P99", "tm", "TM(1:2", "TM(:)", "TM(10:90%)", "TM(90%:10%)", "p-1"),
        *("PR(1%:2%)", "average", "p95.01234567891", "TM(:101%)", "IQM()"),
    ],
)
def test_what_is_not_a_statistic_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a statistic"):
        statistics.parse(name)
