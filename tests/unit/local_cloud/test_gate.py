"""A response waits for a snapshot, a snapshot waits for requests, and requests share it."""

import threading
import time
from collections.abc import Iterator

import pytest

from local_cloud.emulator.gate import Gate, Keeper
from tests.support.waiting import wait_for


class Store:
    """Counts saves; each takes a while."""

    def __init__(self, gate: Gate, duration: float = 0.02) -> None:
        self.duration = duration
        self.value = 0
        self.saved: list[int] = []
        self.fails = False
        self.keeper = Keeper(gate, self.save)

    def save(self) -> None:
        seen = self.value
        time.sleep(self.duration)
        if self.fails:
            raise OSError("disk full")
        self.saved.append(seen)


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store(Gate())
    made.keeper.start()
    yield made
    made.fails = False
    made.keeper.stop()


def test_what_was_kept_is_saved(store: Store) -> None:
    store.value = 7
    store.keeper.keep()
    assert store.saved[-1] == 7


def test_requests_at_the_same_time_share_saves(store: Store) -> None:
    threads = [threading.Thread(target=store.keeper.keep) for _ in range(30)]
    with store.keeper.gate.shared():  # no save can begin
        for thread in threads:
            thread.start()
        wait_for(lambda: store.keeper._wanted == len(threads), "thirty requests that wait")
    for thread in threads:
        thread.join()
    assert len(store.saved) <= 2, "one for those who asked before the keeper woke, one for the rest"


def test_a_save_waits_for_requests_inside_and_keeps_others_out() -> None:
    gate, order = Gate(), []

    def save() -> None:
        with gate.alone():
            order.append("save")

    with gate.shared():
        thread = threading.Thread(target=save)
        thread.start()
        time.sleep(0.05)
        order.append("request")
    thread.join()
    assert order == ["request", "save"]


def test_a_failed_save_is_told_and_the_next_one_tried(store: Store) -> None:
    store.fails = True
    store.keeper.keep()
    assert store.keeper.failure == "OSError: disk full"
    store.fails = False
    store.keeper.keep()
    assert store.keeper.failure == ""


def test_the_end_saves_what_nobody_waited_for() -> None:
    store = Store(Gate())
    store.keeper.start()
    store.value = 3
    store.keeper.note()
    store.keeper.stop()
    assert store.saved[-1] == 3
