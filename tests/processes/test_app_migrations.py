"""Expand and contract: an old and a new release on one schema."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.support.app_bad_input import cart
from tests.support.app_http import ask
from tests.support.app_servers import Postgres, Shop, postgres
from tests.support.paths import ROOT
from tests.support.releases import WIDER
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(240)]
NAME = "0097_channel"


def next_release(directory: Path) -> Path:
    """This release with three more migrations, in a directory of its own."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "app", directory / "app", ignore=ignored)
    for name, sql in WIDER.items():
        added = directory / f"app/store/migrations/postgres/{name}.sql"
        added.write_text(sql, encoding="utf-8")
    return directory


@contextmanager
def shoppers(url: str) -> Iterator[Counter[int]]:
    """Four shoppers that fill carts and check out continuously."""
    ended = threading.Event()
    answers: Counter[int] = Counter()

    def shop() -> None:
        while not ended.is_set():
            made = ask(f"{url}/cart", cart(), timeout=30)
            answers[made.status] += 1
            if made.status == 200:
                answers[ask(f"{url}/cart/checkout", made.json(), timeout=30).status] += 1

    threads = [threading.Thread(target=shop) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@contextmanager
def held(url: str, mode: str = "ACCESS SHARE") -> Iterator[None]:
    """Another session locks ``carts`` like ``pg_dump``."""
    with psycopg.connect(url) as connection:
        connection.execute(f"LOCK TABLE carts IN {mode} MODE".encode())
        yield


def migration_waits(url: str) -> bool:
    """Return whether a migration waits for a lock now."""
    query = """SELECT count(*) FROM pg_stat_activity
        WHERE application_name = 'shop migration' AND wait_event_type = 'Lock'"""
    with psycopg.connect(url) as connection:
        found = connection.execute(query).fetchone()
    return found is not None and found[0] > 0


@pytest.fixture
def database() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@dataclass
class Pair:
    """Blue serves. Green has the next release and is not started."""

    blue: Shop
    green: Shop
    url: str


@pytest.fixture
def pair(tmp_path: Path, database: Postgres) -> Iterator[Pair]:
    environment = {"SHOP_DATABASE_URL": database.url, "SHOP_MIGRATION_SECONDS": "15"}
    blue = Shop(tmp_path, environment)
    green = Shop(tmp_path, environment, release=next_release(tmp_path / "next"))
    try:
        blue.start()
        yield Pair(blue, green, database.url)
    finally:
        blue.stop()
        green.stop()


def test_a_migration_waits_for_a_long_reader_without_holding_others_up(pair: Pair) -> None:
    with shoppers(pair.blue.url) as answers:
        with held(pair.url):
            starting = threading.Thread(target=pair.green.start)
            starting.start()
            wait_for(lambda: migration_waits(pair.url), "the migration wants the table", 60, 0.02)
            time.sleep(4)  # a request waits 2 s for a lock, then fails
            assert starting.is_alive(), "it cannot have migrated"
        starting.join()
        assert pair.green.answers("/ready")
    assert set(answers) == {200}
    assert answers[200] > 20


def dump(url: str, ended: threading.Event) -> None:
    """Read all tables again and again, as a ``pg_dump`` in a loop does."""
    with psycopg.connect(url) as connection:
        while not ended.is_set():
            connection.execute("LOCK TABLE carts, orders, products IN ACCESS SHARE MODE")
            ended.wait(1)
            connection.rollback()


def test_a_migration_of_three_tables_finds_its_way_between_dumps(pair: Pair) -> None:
    ended = threading.Event()
    dumping = threading.Thread(target=dump, args=(pair.url, ended))
    dumping.start()
    try:
        with shoppers(pair.blue.url) as answers:
            pair.green.start("/ready")
    finally:
        ended.set()
        dumping.join()
    assert set(answers) == {200}
    assert answers[200] > 20


def test_a_migration_that_cannot_be_done_ends_the_start_with_a_sentence(pair: Pair) -> None:
    pair.green.environment = {**pair.green.environment, "SHOP_MIGRATION_SECONDS": "1.5"}
    with shoppers(pair.blue.url) as answers, held(pair.url):
        with pytest.raises(RuntimeError, match="the shop left"):
            pair.green.start("/ready")
        assert pair.green.stop() == 2
    assert set(answers) == {200}
    assert pair.green.log.read_text(encoding="utf-8").splitlines()[-1] == (
        f"shop: Migration {NAME} waits for a table that another session holds. "
        "Nothing was changed; end that session, or start again later."
    )


def test_readiness_asks_nothing_that_a_migration_locks(pair: Pair) -> None:
    with held(pair.url, "ACCESS EXCLUSIVE"):
        assert ask(f"{pair.blue.url}/status").status == 200
        assert ask(f"{pair.blue.url}/carts").status == 503, "the table is locked indeed"


def test_a_start_without_a_database_migrates_when_it_comes_and_is_ready_then(
    tmp_path: Path, database: Postgres
) -> None:
    database.kill()
    environment = {"SHOP_DATABASE_URL": database.url, "SHOP_METRICS_PERIOD": "1"}
    server = Shop(tmp_path, environment)
    try:
        server.start("/live")
        assert not server.answers("/ready")
        database.start()
        wait_for(lambda: server.answers("/ready"), "the shop")
        assert ask(f"{server.url}/cart", cart()).status == 200
    finally:
        server.stop()


def test_blue_serves_while_green_widens_the_schema_and_after(tmp_path: Path) -> None:
    with postgres() as database:
        environment = {"SHOP_DATABASE_URL": database.url}
        blue = Shop(tmp_path, environment)
        greens = [
            Shop(tmp_path, environment, release=next_release(tmp_path / str(number)))
            for number in range(2)
        ]
        try:
            blue.start()
            with shoppers(blue.url) as answers:
                starting = [threading.Thread(target=green.start) for green in greens]
                for thread in starting:  # two instances of one colour at once
                    thread.start()
                for thread in starting:
                    thread.join()
                made = ask(f"{greens[0].url}/cart", cart()).json()
                assert ask(f"{blue.url}/cart/checkout", made).status == 200
            blue.stop()
            blue.start()  # a rollback: the old release starts on the new schema
            made = ask(f"{blue.url}/cart", cart()).json()
            assert ask(f"{greens[1].url}/cart/checkout", made).status == 200
        finally:
            for server in (blue, *greens):
                server.stop()
        with psycopg.connect(database.url) as connection:
            rows = connection.execute("SELECT version FROM schema_migrations ORDER BY 1").fetchall()
            columns = connection.execute(
                "SELECT 1 FROM information_schema.columns WHERE column_name = 'channel'"
            ).fetchall()
    assert set(answers) == {200}, "nobody noticed"
    assert answers[200] > 20
    assert rows[-1] == (99,)
    assert len(columns) == 1
