"""Abandoned carts expire in batches and do not delay the metrics."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.housekeeper import EXPIRE_AT_ONCE, Housekeeper
from app.routes import NO_CART
from app.store import Store, open_store
from app.store.base import Content
from tests.support.app_client import settings

START = 1_795_000_000


class Watched:
    """A store that counts the batches; each takes ``seconds``."""

    def __init__(self, store: Store, seconds: float = 0.0) -> None:
        self.batches: list[int] = []
        self._store = store
        self._seconds = seconds

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def expire(self, idle_seconds: int, limit: int) -> int:
        time.sleep(self._seconds)
        self.batches.append(self._store.expire(idle_seconds, limit))
        return self.batches[-1]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(settings(tmp_path))
    for _ in range(EXPIRE_AT_ONCE * 2 + 10):
        made.add_cart(str(uuid.uuid4()), Content("[]", 0, 0))
    yield made
    made.close()


def keeper(directory: Path, store: Watched, period: int) -> Housekeeper:
    chosen = settings(directory, cart_ttl=-1, metrics_period=period)
    return Housekeeper(chosen, store, None, 0)  # type: ignore[arg-type]


def test_all_abandoned_carts_expire_in_batches(tmp_path: Path, store: Store) -> None:
    watched = Watched(store)
    keeper(tmp_path, watched, period=60).period(START)
    assert watched.batches == [EXPIRE_AT_ONCE, EXPIRE_AT_ONCE, 10]
    assert store.cart_ids(NO_CART, 10) == []


def test_a_slow_database_does_not_cost_the_next_period(tmp_path: Path, store: Store) -> None:
    watched = Watched(store, seconds=0.6)
    housekeeper = keeper(tmp_path, watched, period=1)
    housekeeper.period(START)
    assert watched.batches == [EXPIRE_AT_ONCE]
    housekeeper.period(START + 1)
    housekeeper.period(START + 2)
    assert sum(watched.batches) == EXPIRE_AT_ONCE * 2 + 10
