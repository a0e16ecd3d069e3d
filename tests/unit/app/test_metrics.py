"""Counts become data for CloudWatch."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from app.metrics.batch import (
    MAX_DATA,
    MAX_VALUES,
    Datum,
    Served,
    Usage,
    calls,
    difference,
    environment_data,
    instance_data,
    service_data,
)
from app.metrics.histogram import BUCKETS, bucket
from app.metrics.slots import Histogram, Reading

CART = ("/cart", "POST", 200)
CHECKOUT = ("/cart/checkout", "POST", 200)
START = 1_795_000_000


def named(data: list[Datum], name: str) -> list[Datum]:
    return [datum for datum in data if datum["MetricName"] == name]


def numbers(data: list[Datum]) -> dict[str, float]:
    return {datum["MetricName"]: datum["Value"] for datum in data if "Value" in datum}


def period(**counts: int) -> Reading:
    """Return a reading of 10 ms responses; cart_200=3 means three responses 200 of POST /cart."""
    reading = Reading()
    for name, count in counts.items():
        route, status = name.rsplit("_", 1)
        histogram = Histogram()
        histogram.buckets[bucket(10)] = count
        reading.series[("/" + route.replace("_", "/"), "POST", int(status))] = histogram
    return reading


def test_a_quiet_period_has_zeros_and_no_latency() -> None:
    data = instance_data(Served(Reading()), 0, None, START, {})
    assert numbers(data) == {
        "requests": 0,
        "errors": 0,
        "errors_of_few": 0,
        "errors_elsewhere": 0,
        "checkouts": 0,
        "restarts": 0,
        "cache_errors": 0,
    }
    assert named(data, "latency") == []


def test_counts_are_of_shoppers_requests() -> None:
    counted = period(
        cart_200=5, cart_422=2, cart_503=1, cart_checkout_200=4, cart_checkout_500=2,
        status_200=9, ready_503=9, live_200=9, metrics_200=9,
    )  # fmt: skip
    data = instance_data(Served(counted), 3, Usage(12.5, 99.0), START, {})
    shown = numbers(data)
    assert shown["requests"] == 5 + 2 + 1 + 4 + 2
    assert shown["errors"] == 1 + 2
    assert shown["checkouts"] == 4
    assert (shown["restarts"], shown["cpu"], shown["memory"]) == (3, 12.5, 99.0)
    assert named(data, "latency")[0]["Counts"] == [14.0]
    assert named(data, "checkout_latency")[0]["Counts"] == [6.0]


def test_a_route_that_depends_on_others_is_counted_apart() -> None:
    counted = period(cart_200=5, cart_503=1, list_commits_500=7, list_commits_200=2)
    fetches = {"/list/commits"}  # as the helper above names it
    data = instance_data(Served(counted, fetches), 0, None, START, {})
    shown = numbers(data)
    assert (shown["requests"], shown["errors"], shown["errors_elsewhere"]) == (6, 1, 7)
    assert named(data, "latency")[0]["Counts"] == [6.0]
    [failed] = named(service_data(Served(counted, fetches), START, "local"), "failed")
    assert failed["Counts"] == [5.0, 1.0]


def test_errors_of_a_few_clients_are_counted_apart() -> None:
    counted = period(cart_200=95, cart_500=13)
    counted.clients[0:2] = [12, 12]
    counted.clients[2:18] = [12, 1, *[12, 0] * 7]
    shown = numbers(instance_data(Served(counted), 0, None, START, {}))
    assert (shown["requests"], shown["errors"], shown["errors_of_few"]) == (96, 1, 12)


def test_data_have_what_cloudwatch_needs() -> None:
    where = {"Environment": "local", "Colour": "blue", "Instance": "i-1"}
    data = instance_data(Served(period(cart_checkout_200=1)), 0, Usage(1, 1), START, where)
    data += environment_data(3, 1999, START, {"Environment": "local"})
    units = {datum["MetricName"]: datum["Unit"] for datum in data}
    # the documented names and units
    assert units == {
        "requests": "Count",
        "errors": "Count",
        "errors_of_few": "Count",
        "errors_elsewhere": "Count",
        "checkouts": "Count",
        "restarts": "Count",
        "cache_errors": "Count",
        "cpu": "Percent",
        "memory": "Megabytes",
        "latency": "Milliseconds",
        "checkout_latency": "Milliseconds",
        "carts": "Count",
        "cartsvalue": "None",
    }
    for datum in data:
        assert datum["StorageResolution"] == 1
        assert datum["Timestamp"] == datetime.fromtimestamp(START, UTC)
    assert data[0]["Dimensions"] == [
        {"Name": "Environment", "Value": "local"},
        {"Name": "Colour", "Value": "blue"},
        {"Name": "Instance", "Value": "i-1"},
    ]
    assert data[-1]["Dimensions"] == [{"Name": "Environment", "Value": "local"}]
    assert data[-1]["Value"] == 19.99


def test_no_call_passes_the_limits_of_cloudwatch() -> None:
    reading = Reading()
    wide = Histogram()
    wide.buckets = [1] * BUCKETS
    reading.series[CHECKOUT] = wide
    data = instance_data(Served(reading), 0, None, START, {})
    sent = calls(data)
    assert len(sent) == math.ceil(BUCKETS / MAX_VALUES)
    for call in sent:
        names = [datum["MetricName"] for datum in call]
        assert len(names) == len(set(names))
        assert all(len(datum.get("Values", [])) <= MAX_VALUES for datum in call)
        assert all(len(datum.get("Values", [])) == len(datum.get("Counts", [])) for datum in call)
    together = [count for call in sent for d in named(call, "latency") for count in d["Counts"]]
    assert sum(together) == BUCKETS
    assert [
        len(call) for call in calls([{**data[0], "MetricName": str(n)} for n in range(1_500)])
    ] == [
        MAX_DATA,
        500,
    ]


def test_the_difference_is_what_came_between() -> None:
    between = difference(period(cart_200=7, cart_503=1), period(cart_200=5))
    assert between.series[CART].count == 2
    assert between.series[("/cart", "POST", 503)].count == 1
