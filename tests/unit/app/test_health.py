"""The health check for a proxy neither waits for a lost store nor reports it at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from app.errors import StoreUnavailableError
from app.faults import Faults
from app.services import health as module
from app.services.health import Health
from app.store import Store
from tests.support.app_client import settings
from tests.support.waiting import wait_for


class HangingStore:
    """Responds, or hangs until it is released and then fails, as a lost database does."""

    def __init__(self) -> None:
        self.lost = False
        self.released = threading.Event()
        self.checks = 0

    def check(self) -> None:
        self.checks += 1
        if self.lost:
            self.released.wait(10)
            raise StoreUnavailableError("connection refused")


@pytest.fixture
def store() -> Iterator[HangingStore]:
    found = HangingStore()
    yield found
    found.released.set()


@pytest.fixture
def health(store: HangingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Health:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.0)
    asked = settings(tmp_path)
    return Health(asked, cast("Store", store), Faults(asked))


def test_a_store_that_has_just_gone_away_is_not_waited_for(
    health: Health, store: HangingStore
) -> None:
    assert health.ready().status == "healthy"
    store.lost = True
    began = time.monotonic()
    assert [health.ready().status for _ in range(50)] == ["healthy"] * 50
    assert time.monotonic() - began < 5, "a request waited for the store"
    assert store.checks == 2, "one check runs at a time"


def test_a_store_that_stays_away_makes_it_unhealthy_and_then_healthy_again(
    health: Health, store: HangingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert health.ready().status == "healthy"
    store.lost = True
    monkeypatch.setattr(module, "STORE_GRACE_SECONDS", 60.0)
    assert health.ready().status == "healthy"
    monkeypatch.setattr(module, "STORE_GRACE_SECONDS", 0.2)
    wait_for(lambda: health.ready().status == "unhealthy", "it is unhealthy", 30, 0.02)
    assert health.ready().reason.startswith("store has not responded for")
    store.lost = False
    store.released.set()
    monkeypatch.setattr(module, "STORE_GRACE_SECONDS", 60.0)
    wait_for(lambda: health.ready().status == "healthy", "it is healthy again", 30, 0.02)


def test_nobody_asked_for_a_while_is_no_lost_store(
    health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STORE_GRACE_SECONDS", 1.0)
    for _ in range(2):
        assert health.ready().status == "healthy"
        time.sleep(1.2)


def test_a_new_process_is_not_ready_before_its_store(health: Health, store: HangingStore) -> None:
    store.lost = True
    store.released.set()
    assert health.ready().reason == "store does not respond: connection refused"
