"""GetMetricData: periods, retention, paging.

Sentences are from the API reference of the operation, as in botocore's service model, or from
the user guide's "Amazon CloudWatch concepts" (Concepts).
"""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.cloudwatch.errors import (
    InvalidNextTokenError,
)
from tests.unit.local_cloud.cloudwatch_world import DAY, HOUR, MINUTE, NOON, World, metric_query

FINE = {"StorageResolution": 1}


def test_periods_begin_at_the_epoch_not_at_the_start_asked_for() -> None:
    """Concepts: "data aggregated from 7:00pm to 8:00pm is stamped as 7:00pm"."""
    world = World()
    world.put({"Value": 1, "Timestamp": NOON - 300}, {"Value": 2, "Timestamp": NOON - 60})
    found = world.series("Sum", start=NOON - 420, end=NOON, period=300)
    assert found == {120: 3.0}


@pytest.mark.parametrize(
    ("period", "start", "end", "first", "last"),
    [
        # StartTime: "at 15:07:17 for the previous 5 minutes of data, using a period of 5 seconds,
        # you receive data timestamped between 15:02:15 and 15:07:15"
        (5, NOON + 137, NOON + 437, NOON + 135, NOON + 435),
        # A query at 01:05:23 for the previous ten seconds gets "data from 01:05:10 to 01:05:20"
        (10, NOON + 313, NOON + 323, NOON + 310, NOON + 320),
        # "Start time less than 15 days ago - Round down to the nearest whole minute. For example,
        # 12:32:34 is rounded down to 12:32:00"
        (60, NOON + 34, NOON + 94, NOON, NOON + 60),
    ],
)
def test_the_start_is_rounded_down(
    period: int, start: int, end: int, first: int, last: int
) -> None:
    world = World(now=NOON + HOUR)
    seconds = [{"Value": 1, "Timestamp": NOON + n, **FINE} for n in range(500)]
    world.put(*seconds)
    stamped = [start + after for after in world.series("Sum", start=start, end=end, period=period)]
    assert (stamped[0], stamped[-1]) == (first, last)


def test_the_end_is_left_out_and_the_start_is_not() -> None:
    """StartTime: "The value specified is inclusive"; EndTime: "exclusive"."""
    world = World()
    world.put(*({"Value": n, "Timestamp": NOON - 180 + n * 60} for n in (0, 1, 2)))
    assert world.series("Sum", start=NOON - 180, end=NOON - 60) == {0: 0.0, 60: 1.0}


def test_standard_resolution_has_whole_minutes_only() -> None:
    """Concepts: "Standard resolution, with data having a one-minute granularity"."""
    world = World()
    world.put({"Value": 1, "Timestamp": NOON - 35}, {"Value": 2, "Timestamp": NOON - 25})
    assert world.series("Sum", period=10) == {0: 3.0}


def test_high_resolution_has_seconds() -> None:
    """Concepts: "High resolution, with data at a granularity of one second"."""
    world = World()
    world.put(*({"Value": 1, "Timestamp": NOON - 35.2 + n, **FINE} for n in (0, 0.1, 10, 20)))
    assert world.series("Sum", period=10) == {20: 2.0, 30: 1.0, 40: 1.0}
    assert world.series("Sum", period=1) == {24: 2.0, 34: 1.0, 44: 1.0}


@pytest.mark.parametrize(
    ("age", "period", "there"),
    [
        (3 * HOUR - MINUTE, 10, True),  # "a period of less than 60 seconds [...] 3 hours"
        (3 * HOUR + MINUTE, 10, False),
        (3 * HOUR + MINUTE, 60, True),  # "a period of 60 seconds (1-minute) [...] 15 days"
        (13 * DAY, 60, True),
    ],
)
@pytest.mark.parametrize("rolled_up", [False, True])
def test_old_data_is_kept_in_coarser_periods(
    *, age: int, period: int, there: bool, rolled_up: bool
) -> None:
    world = World()
    world.put({"Values": [1, 2, 9], "Timestamp": NOON - age, **FINE})
    if rolled_up:
        world.cloud.metrics.roll_up()
    found = world.series("p50", start=NOON - age, end=NOON - age + 60, period=period)
    assert list(found.values()) == ([2.0] if there else [])


@pytest.mark.parametrize(
    ("age", "period", "there"),
    [
        (16 * DAY, 60, False),
        (16 * DAY, 300, True),  # "300 seconds (5-minute) [...] 63 days"
        (64 * DAY, 300, False),
        (64 * DAY, 3600, True),  # "3600 seconds (1 hour) [...] 455 days"
        (456 * DAY, 3600, False),
    ],
)
def test_data_ages(*, age: int, period: int, there: bool) -> None:
    world = World(now=NOON - age)
    world.put({"Values": [1, 2, 9], "Timestamp": NOON - age, **FINE})
    for world.now in (NOON - age + 4 * HOUR, NOON):
        world.cloud.metrics.roll_up()
    found = world.series("p50", start=NOON - age - HOUR, end=NOON - age + HOUR, period=period)
    assert list(found.values()) == ([2.0] if there else [])
    assert len(world.cloud.metrics) == (0 if age > 455 * DAY else 3)


def test_roll_up_merges_what_says_the_same() -> None:
    """Concepts: "Data points that are initially published with a shorter period are aggregated"."""
    world = World()
    world.put(*({"Value": n % 2, "Timestamp": NOON - 4 * HOUR + n, **FINE} for n in range(60)))
    assert len(world.cloud.metrics) == 60
    world.cloud.metrics.roll_up()
    assert len(world.cloud.metrics) == 2
    found = world.series("SampleCount", start=NOON - 4 * HOUR, end=NOON - 3 * HOUR)
    assert found == {0: 60.0}


def test_data_published_out_of_order_is_read_in_order() -> None:
    """Concepts: "you can add the data points in any order"."""
    world = World()
    world.put({"Value": 1, "Timestamp": NOON - 60}, {"Value": 2, "Timestamp": NOON - 120})
    assert world.series("Sum", start=NOON - 120) == {0: 2.0, 60: 1.0}
    world.put({"Value": 4, "Timestamp": NOON - 90})
    assert world.series("Sum", start=NOON - 120) == {0: 6.0, 60: 1.0}


def test_a_metric_never_published_has_no_data() -> None:
    world = World()
    result = world.call(
        "GetMetricData", MetricDataQueries=[metric_query("q")], StartTime=NOON - 60, EndTime=NOON
    )
    assert result["MetricDataResults"] == [
        {"Id": "q", "Label": "m", "Timestamps": [], "Values": [], "StatusCode": "Complete"}
    ]


def ask(world: World, **parameters: Any) -> dict[str, Any]:
    asked = {"StartTime": NOON - 300, "EndTime": NOON, **parameters}
    return world.call("GetMetricData", **{"MetricDataQueries": [metric_query("q")], **asked})


def five_minutes() -> World:
    world = World()
    world.put(*({"Value": n, "Timestamp": NOON - 300 + n * 60} for n in range(5)))
    return world


@pytest.mark.parametrize(
    ("scan", "values"),
    [
        (None, [4.0, 3.0, 2.0, 1.0, 0.0]),  # "the default of TimestampDescending is used"
        ("TimestampDescending", [4.0, 3.0, 2.0, 1.0, 0.0]),  # "the newest data first"
        ("TimestampAscending", [0.0, 1.0, 2.0, 3.0, 4.0]),  # "the oldest data first"
    ],
)
def test_scan_by(scan: str | None, values: list[float]) -> None:
    found = ask(five_minutes(), ScanBy=scan)["MetricDataResults"][0]
    assert found["Values"] == values
    assert found["StatusCode"] == "Complete"


@pytest.mark.parametrize("scan", ["TimestampAscending", "TimestampDescending"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 9, 10, 100])
def test_pages_hold_each_point_once(scan: str, limit: int) -> None:
    """MaxDatapoints: "the maximum number of data points the request should return before..."."""
    world = five_minutes()
    queries = [metric_query("a", "Sum"), metric_query("b", "Maximum")]
    seen: dict[str, list[float]] = {"a": [], "b": []}
    token, pages = None, 0
    while True:
        page = ask(
            world, MetricDataQueries=queries, ScanBy=scan, MaxDatapoints=limit, NextToken=token
        )
        assert sum(len(each["Values"]) for each in page["MetricDataResults"]) <= limit
        for each in page["MetricDataResults"]:
            seen[each["Id"]] += each["Values"]
            assert each["StatusCode"] == (
                "Complete" if len(seen[each["Id"]]) == 5 else "PartialData"
            )
        pages, token = pages + 1, page["NextToken"]
        if token is None:
            break
    ordered = [0.0, 1.0, 2.0, 3.0, 4.0]
    assert seen["a"] == seen["b"] == (ordered if scan == "TimestampAscending" else ordered[::-1])
    assert pages == -(-10 // limit)


def test_the_first_page_has_the_newest_of_every_metric() -> None:
    """ScanBy: "returns the newest data first and paginates when the [...] limit is reached"."""
    queries = [metric_query("a", "Sum"), metric_query("b", "Maximum")]
    page = ask(five_minutes(), MetricDataQueries=queries, MaxDatapoints=2)
    assert [each["Values"] for each in page["MetricDataResults"]] == [[4.0], [4.0]]


def test_data_that_arrives_between_pages_moves_nothing() -> None:
    world = five_minutes()
    first = ask(world, EndTime=NOON + 300, MaxDatapoints=2)
    world.put({"Value": 99, "Timestamp": NOON + 60})
    second = ask(world, EndTime=NOON + 300, MaxDatapoints=2, NextToken=first["NextToken"])
    assert second["MetricDataResults"][0]["Values"] == [2.0, 1.0]


@pytest.mark.parametrize("token", ["nonsense", "bm9uc2Vuc2U=", "WzEsIDJd", "é"])
def test_a_token_of_another_kind_is_refused(token: str) -> None:
    with pytest.raises(InvalidNextTokenError):
        ask(five_minutes(), NextToken=token)


def test_a_token_of_another_request_is_refused() -> None:
    world = five_minutes()
    token = ask(world, MaxDatapoints=2)["NextToken"]
    with pytest.raises(InvalidNextTokenError, match="another request"):
        ask(world, MetricDataQueries=[metric_query("other")], NextToken=token)
