"""The sink sends in order, retries, never blocks, and is bounded."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.metrics.batch import Datum
from app.metrics.sink import BUFFERED_PERIODS, Sink
from tests.support.waiting import wait_for


class Client:
    """A fake CloudWatch: ``away`` fails, ``slow`` waits for ``go``."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.away = False
        self.go = threading.Event()
        self.go.set()

    def put_metric_data(self, *, Namespace: str, MetricData: list[Datum]) -> object:  # noqa: N803
        assert Namespace == "Shop"
        assert self.go.wait(10)
        if self.away:
            raise ConnectionError("CloudWatch is away")
        self.taken += [datum["MetricName"] for datum in MetricData]
        return None


def batch(number: int) -> list[Datum]:
    return [{"MetricName": str(number), "Timestamp": number, "Dimensions": []}]


@contextmanager
def sink(client: Client) -> Iterator[Sink]:
    made = Sink(client, "Shop", retry_seconds=0.01)
    yield made
    made.close(1)


def wait_until(client: Client, count: int) -> None:
    wait_for(lambda: len(client.taken) >= count, f"{count} batches", 5, 0.005)


def test_batches_arrive_in_order() -> None:
    client = Client()
    with sink(client) as made:
        for number in range(20):
            made.put(batch(number))
    assert client.taken == [str(number) for number in range(20)]


def test_what_was_not_taken_is_sent_again() -> None:
    client = Client()
    client.away = True
    with sink(client) as made:
        for number in range(5):
            made.put(batch(number))
        time.sleep(0.05)
        assert client.taken == []
        client.away = False
        wait_until(client, 5)
    assert client.taken == ["0", "1", "2", "3", "4"]
    assert made.dropped == 0


def test_who_asked_is_told_once_the_data_were_accepted_and_not_before() -> None:
    client, told = Client(), list[int]()
    client.away = True
    with sink(client) as made:
        made.put(batch(0), lambda: told.append(len(client.taken)))
        made.put(batch(1), lambda: told.append(len(client.taken)))
        time.sleep(0.05)
        assert told == []
        client.away = False
        wait_until(client, 2)
    assert told == [1, 2]


def test_putting_does_not_wait_and_the_oldest_are_dropped() -> None:
    client = Client()
    client.go.clear()  # so slow that there is no response
    with sink(client) as made:
        began = time.monotonic()
        for number in range(BUFFERED_PERIODS * 3):
            made.put(batch(number))
        assert time.monotonic() - began < 5
        client.go.set()
        wait_until(client, BUFFERED_PERIODS)
    newest = [str(number) for number in range(BUFFERED_PERIODS * 2, BUFFERED_PERIODS * 3)]
    assert client.taken[-BUFFERED_PERIODS:] == newest
    # all except the buffered ones and the one being sent
    assert made.dropped >= BUFFERED_PERIODS * 2 - 1


def test_closing_does_not_wait_for_ever() -> None:
    client = Client()
    client.away = True
    made = Sink(client, "Shop", retry_seconds=60)
    made.put(batch(1))
    began = time.monotonic()
    made.close(0.2)
    assert time.monotonic() - began < 20
