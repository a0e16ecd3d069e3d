"""Counters of several processes lose no event and count none twice."""

from __future__ import annotations

import math
import os
import random
import statistics
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.metrics.histogram import BUCKETS, GAMMA, LOWEST_MS, bound, bucket, value
from app.metrics.slots import SERIES, Counter, Slot, read

CART = ("/cart", "POST", 200)


def in_a_child(action: Callable[[], None]) -> None:
    """Run a function in a forked process, as in a worker, and wait."""
    child = os.fork()
    if not child:
        try:
            action()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


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
    in_a_child(worker)  # a new slot takes over the file of the ended process
    assert len(list(tmp_path.glob("slot-*"))) == 2
    assert read(tmp_path).series[CART].count == 3


def test_threads_lose_no_count(tmp_path: Path) -> None:
    slot = Slot(tmp_path)

    def work() -> None:
        for _ in range(2_000):
            slot.record(CART, 0.001)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # switch threads at nearly every instruction
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
