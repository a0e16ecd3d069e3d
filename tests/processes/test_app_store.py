"""The contract of a store on a real PostgreSQL, and lost connections."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from app.errors import StoreUnavailableError
from app.store import Store
from app.store.base import Content
from app.store.postgres import PostgresStore
from tests.support.app_servers import Postgres, postgres
from tests.support.app_store_contract import ITEMS, StoreContract, new_id

pytestmark = [pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture
def url(server: Postgres) -> str:
    """The URL of an empty schema for each test."""
    with psycopg.connect(server.url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return server.url


def opened(url: str) -> PostgresStore:
    store = PostgresStore(url, connections=2)
    store.migrate(patience=10)
    return store


class TestPostgres(StoreContract):
    @pytest.fixture
    def again(self, url: str) -> Callable[[], Store]:
        return lambda: PostgresStore(url, connections=8)

    @pytest.fixture
    def store(self, again: Callable[[], Store]) -> Iterator[Store]:
        store = again()
        store.migrate(patience=10)
        yield store
        store.close()


def test_money_is_exact_in_the_database(url: str) -> None:
    store = opened(url)
    items = '[{"description":"x","qty":3,"unitPrice":19.99}]'
    cart = new_id()
    store.add_cart(cart, Content(items, 1, 5997))
    store.check_out(new_id(), cart, None, None)
    store.close()
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT total::text, items::text FROM orders").fetchone()
    assert row == ("59.97", '[{"qty": 3, "unitPrice": 19.99, "description": "x"}]')


def test_a_restarted_server_is_not_noticed(server: Postgres, url: str) -> None:
    store = opened(url)
    store.add_cart(new_id(), ITEMS)
    server.kill()
    server.start()
    store.add_cart(new_id(), ITEMS)
    assert store.totals().carts == 2
    store.close()


def test_a_server_that_is_away_is_unavailable_within_seconds(server: Postgres, url: str) -> None:
    store = opened(url)
    store.check()
    assert store.lead()
    server.kill()
    try:
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError):
            store.totals()
        with pytest.raises(StoreUnavailableError):
            store.lead()
        assert time.monotonic() - began < 8
    finally:
        server.start()
    store.check()
    assert store.lead()
    store.close()


def test_statements_use_their_indexes(url: str) -> None:
    """These statements must not scan a table."""
    store = opened(url)
    store.check()
    store.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")
        plans = [
            "SELECT id FROM carts WHERE touched_at < now() ORDER BY touched_at LIMIT 5",
            "SELECT id FROM orders WHERE cart_id = '00000000-0000-4000-8000-000000000000'"
            " OR idempotency_key = 'k'",
        ]
        for plan in plans:
            rows = connection.execute(b"EXPLAIN " + plan.encode()).fetchall()
            text = "\n".join(row[0] for row in rows)
            assert "Index" in text, text
            assert "Seq Scan" not in text, text
