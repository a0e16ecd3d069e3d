"""The publisher: each response once; restarts; CPU and memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.metrics import process
from app.metrics.batch import (
    Datum,
)
from app.metrics.publisher import Publisher, metrics_directory, published_until
from app.metrics.restarts import note_start, take_restarts
from app.metrics.slots import Counter, Slot
from app.settings import Settings
from tests.support.app_client import settings

CART = ("/cart", "POST", 200)
START = 1_795_000_000


def numbers(data: list[Datum]) -> dict[str, float]:
    return {datum["MetricName"]: datum["Value"] for datum in data if "Value" in datum}


class Instance:
    """A slot, a publisher, and the published data."""

    def __init__(self, directory: Path) -> None:
        self.settings: Settings = settings(directory, environment="local")
        self.slot = Slot(metrics_directory(self.settings))
        self.sent: list[list[Datum]] = []
        self.accepts = True
        self.publisher = self.successor()

    def successor(self) -> Publisher:
        return Publisher(self.settings, self.put, os.getpid())

    def put(self, data: list[Datum], sent: Callable[[], None]) -> None:
        self.sent.append(data)
        if self.accepts:
            sent()

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


def test_it_notes_until_when_metrics_were_accepted(tmp_path: Path) -> None:
    """A successor has nothing to publish for the time before its start."""
    instance = Instance(tmp_path)
    until = published_until(instance.settings)
    assert until.get() == 0
    instance.publisher.begin(START)
    assert until.get() == START
    instance.published()
    assert until.get() == START + instance.settings.metrics_period
    instance.accepts = False
    instance.publisher.publish(START + instance.settings.metrics_period)
    assert until.get() == START + instance.settings.metrics_period


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
    instance.slot.count(Counter.WORKERS_WANTED, 2)  # a reload starts new workers
    instance.slot.count(Counter.WORKER_STARTS, 2)
    assert instance.published()["restarts"] == 0


def test_restarts_of_the_service_are_remembered(tmp_path: Path) -> None:
    one, two = (settings(tmp_path, release=release) for release in ("one", "two"))
    note_start(one)
    assert take_restarts(one) == 0, "the first start of a release is its deployment"
    note_start(one)
    note_start(one)
    assert [take_restarts(one), take_restarts(one)] == [2, 0]
    note_start(one)
    note_start(two)
    assert take_restarts(two) == 0
    (tmp_path / "starts.json").write_text("{")
    note_start(two)
    assert take_restarts(two) == 0


def test_restarts_count_although_the_state_directory_takes_no_file(tmp_path: Path) -> None:
    """With a full disk, the service still starts and sends its metrics."""
    one = settings(tmp_path, release="one")
    note_start(one)
    full = tmp_path / "starts.json.new"
    full.mkdir()  # where a file is written first, so writing fails
    note_start(one)
    assert [take_restarts(one), take_restarts(one)] == [1, 0]
    shutil.rmtree(one.run_directory)  # as systemd does when a service ends
    note_start(one)
    assert [take_restarts(one), take_restarts(one)] == [1, 0]
    full.rmdir()
    note_start(one)
    shutil.rmtree(one.run_directory)
    assert [take_restarts(one), take_restarts(one)] == [1, 0]


def test_usage_is_of_the_process_tree(tmp_path: Path) -> None:
    began = time.monotonic()
    instance = Instance(tmp_path)
    until = process.tree(os.getpid())[0].cpu_seconds + 0.1
    while process.tree(os.getpid())[0].cpu_seconds < until:
        pass
    shown = instance.published()
    # 0.1 s of CPU time; it may take longer on a busy machine
    assert 100 * 0.1 / (time.monotonic() - began) < shown["cpu"] < 400
    # VmRSS of proc(5), in KiB, as an independent measurement
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


def test_processor_time_is_finer_than_a_tick() -> None:
    """proc(5) counts ticks of 10 ms, which is too coarse for a worker in a period."""
    before = process.tree(os.getpid())
    spent = time.process_time() + 0.002
    while time.process_time() < spent:
        pass
    assert 0.002 <= process.cpu_used(before, process.tree(os.getpid())) < 0.1


def test_cpu_of_a_new_process_counts_from_nothing() -> None:
    def at(pid: int, seconds: float) -> Any:
        return process.Process(pid, 1, seconds, 0)

    assert process.cpu_used([at(1, 5.0), at(2, 9.0)], [at(1, 6.0), at(3, 0.5)]) == 1.5
