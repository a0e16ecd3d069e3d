"""Counting over several processes, and what is made of the counts."""

from __future__ import annotations

import math
import os
import random
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.metrics import process
from app.metrics.batch import (
    MAX_DATA,
    MAX_VALUES,
    Datum,
    Usage,
    calls,
    difference,
    environment_data,
    instance_data,
)
from app.metrics.histogram import BUCKETS, GAMMA, LOWEST_MS, bound, bucket, value
from app.metrics.publisher import Publisher, metrics_directory
from app.metrics.restarts import note_start, take_restarts
from app.metrics.slots import SERIES, Counter, Histogram, Reading, Slot, read
from app.settings import Settings
from tests.unit.app_client import settings

CART = ("/cart", "POST", 200)
CHECKOUT = ("/cart/checkout", "POST", 200)
START = 1_795_000_000


def in_a_child(action: Callable[[], None]) -> None:
    """Run it in a forked process, as a worker is, and wait."""
    child = os.fork()
    if not child:
        try:
            action()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def named(data: list[Datum], name: str) -> list[Datum]:
    return [datum for datum in data if datum["MetricName"] == name]


def numbers(data: list[Datum]) -> dict[str, float]:
    return {datum["MetricName"]: datum["Value"] for datum in data if "Value" in datum}


# --- histogram


def test_each_bucket_begins_where_the_last_one_ends() -> None:
    for index in range(1, BUCKETS - 1):
        assert bucket(bound(index) * 0.9999) == index
        assert bucket(bound(index) * 1.0001) == index + 1


@pytest.mark.parametrize(
    ("milliseconds", "index"), [(0, 0), (-1, 0), (LOWEST_MS, 0), (1e9, BUCKETS - 1)]
)
def test_the_ends_take_what_lies_beyond(milliseconds: float, index: int) -> None:
    assert bucket(milliseconds) == index


def test_percentiles_are_within_half_a_bucket() -> None:
    # DDSketch, PVLDB 12(12), proposition 3: relative error at most (gamma - 1) / (gamma + 1).
    limit = (GAMMA - 1) / (GAMMA + 1) + 1e-9
    chance = random.Random(20261120)  # noqa: S311
    sample = sorted(chance.lognormvariate(3, 1) for _ in range(20_000))
    shown = sorted(value(bucket(each)) for each in sample)
    for percentile in (0.5, 0.9, 0.95, 0.99, 0.999):
        at = math.ceil(percentile * len(sample)) - 1
        assert abs(shown[at] / sample[at] - 1) <= limit
    assert abs(statistics.fmean(shown) / statistics.fmean(sample) - 1) <= limit


# --- slots


def test_workers_are_summed(tmp_path: Path) -> None:
    def worker() -> None:
        slot = Slot(tmp_path)
        for _ in range(1_000):
            slot.record(CART, 0.010)
        slot.count(Counter.CACHE_HITS, 5)

    for _ in range(3):
        in_a_child(worker)
    worker()
    reading = read(tmp_path)
    assert reading.series[CART].count == 4_000
    assert reading.series[CART].microseconds == 4_000 * 10_000
    assert reading.series[CART].buckets[bucket(10)] == 4_000
    assert reading.counters[Counter.CACHE_HITS] == 20


def test_workers_at_work_do_not_share_a_file(tmp_path: Path) -> None:
    first = Slot(tmp_path)

    def worker() -> None:
        Slot(tmp_path).record(CART, 0.001)

    first.record(CART, 0.001)
    in_a_child(worker)
    assert len(list(tmp_path.glob("slot-*"))) == 2
    in_a_child(worker)  # takes the file of the one that has gone, and adds to it
    assert len(list(tmp_path.glob("slot-*"))) == 2
    assert read(tmp_path).series[CART].count == 3


def test_threads_lose_no_count(tmp_path: Path) -> None:
    slot = Slot(tmp_path)

    def work() -> None:
        for _ in range(2_000):
            slot.record(CART, 0.001)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # a switch at nearly every instruction
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert read(tmp_path).series[CART].count == 8_000


def test_more_series_than_there_is_room_for_become_one(tmp_path: Path) -> None:
    slot = Slot(tmp_path)
    for status in range(200, 200 + SERIES + 10):
        slot.record(("/cart", "POST", status), 0.001)
    reading = read(tmp_path)
    assert len(reading.series) == SERIES
    assert reading.series[("other", "other", 0)].count == 11
    assert sum(each.count for each in reading.series.values()) == SERIES + 10


def test_a_file_that_is_just_being_made_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "slot-000").touch()
    assert read(tmp_path).series == {}


# --- batch


def period(**counts: int) -> Reading:
    """A reading with answers of 10 ms each: cart_200=3 means three of POST /cart with 200."""
    reading = Reading()
    for name, count in counts.items():
        route, status = name.rsplit("_", 1)
        histogram = Histogram()
        histogram.buckets[bucket(10)] = count
        reading.series[("/" + route.replace("_", "/"), "POST", int(status))] = histogram
    return reading


def test_a_quiet_period_has_zeros_and_no_latency() -> None:
    data = instance_data(Reading(), 0, None, START, {})
    assert numbers(data) == {
        "requests": 0,
        "errors": 0,
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
    data = instance_data(counted, 3, Usage(12.5, 99.0), START, {})
    shown = numbers(data)
    assert shown["requests"] == 5 + 2 + 1 + 4 + 2
    assert shown["errors"] == 1 + 2
    assert shown["checkouts"] == 4
    assert (shown["restarts"], shown["cpu"], shown["memory"]) == (3, 12.5, 99.0)
    assert named(data, "latency")[0]["Counts"] == [14.0]
    assert named(data, "checkout_latency")[0]["Counts"] == [6.0]


def test_data_have_what_cloudwatch_needs() -> None:
    where = {"Environment": "local", "Colour": "blue", "Instance": "i-1"}
    data = instance_data(period(cart_checkout_200=1), 0, Usage(1, 1), START, where)
    data += environment_data(3, 1999, START, {"Environment": "local"})
    units = {datum["MetricName"]: datum["Unit"] for datum in data}
    # The brief's names and units; cache_errors is the one more.
    assert units == {
        "requests": "Count",
        "errors": "Count",
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
    data = instance_data(reading, 0, None, START, {})
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


# --- publisher


class Instance:
    """A slot, a publisher, and what was published."""

    def __init__(self, directory: Path) -> None:
        self.settings: Settings = settings(directory, environment="local")
        self.slot = Slot(metrics_directory(self.settings))
        self.sent: list[list[Datum]] = []
        self.publisher = self.successor()

    def successor(self) -> Publisher:
        return Publisher(self.settings, self.sent.append, os.getpid())

    def published(self, publisher: Publisher | None = None) -> dict[str, float]:
        (publisher or self.publisher).publish(START)
        return numbers(self.sent[-1])


def test_each_answer_is_published_once(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.slot.record(CART, 0.01)
    assert instance.published()["requests"] == 1
    assert instance.published()["requests"] == 0
    instance.slot.record(CART, 0.01)
    instance.slot.record(CART, 0.01)
    assert instance.published()["requests"] == 2


def test_a_successor_neither_loses_nor_doubles(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.slot.record(CART, 0.01)
    instance.published()
    instance.slot.record(CART, 0.01)
    successor = instance.successor()
    instance.slot.record(CART, 0.01)
    assert instance.published(successor)["requests"] == 2


def test_respawned_workers_are_restarts(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.slot.count(Counter.WORKERS_WANTED, 2)
    instance.slot.count(Counter.WORKER_STARTS, 1)
    assert instance.published()["restarts"] == 0, "the second is still starting"
    instance.slot.count(Counter.WORKER_STARTS, 1)
    assert instance.published()["restarts"] == 0
    instance.slot.count(Counter.WORKER_STARTS, 3)
    assert instance.published()["restarts"] == 3
    assert instance.published()["restarts"] == 0
    assert instance.published(instance.successor())["restarts"] == 0
    instance.slot.count(Counter.WORKERS_WANTED, 2)  # a reload wants new ones
    instance.slot.count(Counter.WORKER_STARTS, 2)
    assert instance.published()["restarts"] == 0


def test_restarts_of_the_service_are_remembered(tmp_path: Path) -> None:
    note_start(tmp_path, "one")
    assert take_restarts(tmp_path) == 0, "the first start of a release is its deployment"
    note_start(tmp_path, "one")
    note_start(tmp_path, "one")
    assert [take_restarts(tmp_path), take_restarts(tmp_path)] == [2, 0]
    note_start(tmp_path, "one")
    note_start(tmp_path, "two")
    assert take_restarts(tmp_path) == 0
    (tmp_path / "starts.json").write_text("{")
    note_start(tmp_path, "two")
    assert take_restarts(tmp_path) == 0


def test_usage_is_of_the_process_tree(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    until = process.tree(os.getpid())[0].cpu_seconds + 0.1
    while process.tree(os.getpid())[0].cpu_seconds < until:
        pass
    shown = instance.published()
    assert 10 < shown["cpu"] < 400
    # VmRSS of proc(5), in KiB, as an independent reading of the same.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    resident = int(status.split("VmRSS:")[1].split()[0]) * 1024 / 1e6
    assert shown["memory"] == pytest.approx(resident, rel=0.2)


def test_a_child_belongs_to_the_tree() -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        assert child.pid in {each.pid for each in process.tree(os.getpid())}
    finally:
        child.kill()
        child.wait()
    assert process.tree(child.pid) == []


def test_cpu_of_a_new_process_counts_from_nothing() -> None:
    def at(pid: int, seconds: float) -> Any:
        return process.Process(pid, 1, seconds, 0)

    assert process.cpu_used([at(1, 5.0), at(2, 9.0)], [at(1, 6.0), at(3, 0.5)]) == 1.5
