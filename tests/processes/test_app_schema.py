"""A store migrates its PostgreSQL schema: one at a time, completely, within a time limit."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from app.errors import StoreUnavailableError
from app.store.migrations import Migration, MigrationError, migrations
from app.store.postgres import PostgresStore
from app.store.schema import migrate
from tests.support.app_servers import Postgres, postgres

pytestmark = [pytest.mark.timeout(240)]


@pytest.fixture
def database() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


def test_requests_before_the_migration_are_told_to_try_again(database: Postgres) -> None:
    store = PostgresStore(database.url, connections=2)
    for use in (store.check, store.totals):
        with pytest.raises(StoreUnavailableError):
            use()
    migrate(database.url, patience=0)
    store.check()
    store.close()


def test_a_migration_that_holds_its_tables_for_long_is_undone(
    database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(database.url, patience=0)
    slow = Migration(2, "two", "ALTER TABLE carts ADD COLUMN a int;\nSELECT pg_sleep(60);\n")
    monkeypatch.setattr("app.store.schema.migrations", lambda _: [*migrations("postgres"), slow])
    began = time.monotonic()
    with pytest.raises(MigrationError, match=r"two holds its tables for over 1\.5 s"):
        migrate(database.url, patience=0)
    assert time.monotonic() - began < 30
    with psycopg.connect(database.url) as connection:
        columns = "SELECT 1 FROM information_schema.columns WHERE column_name = 'a'"
        assert connection.execute(columns).fetchall() == []


def test_one_migrates_at_a_time(database: Postgres) -> None:
    with psycopg.connect(database.url) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (0x73686F70,))
        with pytest.raises(MigrationError, match=r"Another instance has been migrating for 0\.5 s"):
            migrate(database.url, patience=0.5)
    migrate(database.url, patience=10)


def test_a_failing_migration_leaves_nothing_of_itself(
    database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [*migrations("postgres"), Migration(2, "two", "CREATE TABLE t (x int);\nNONSENSE;\n")]
    with monkeypatch.context() as patched:
        patched.setattr("app.store.schema.migrations", lambda _: broken)
        with pytest.raises(MigrationError, match="Migration two failed: syntax error"):
            migrate(database.url, patience=10)
    with psycopg.connect(database.url) as connection:
        tables = connection.execute("SELECT 1 FROM pg_tables WHERE tablename = 't'")
        assert tables.fetchall() == []
        ran = connection.execute("SELECT version FROM schema_migrations").fetchall()
        assert ran == [(1,)]
    migrate(database.url, patience=10)


def test_a_changed_migration_is_refused(
    database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(database.url, patience=0)
    (first, *_) = migrations("postgres")
    changed = [Migration(first.version, first.name, first.sql + "-- changed\n")]
    monkeypatch.setattr("app.store.schema.migrations", lambda _: changed)
    with pytest.raises(MigrationError, match="0001_shop was changed"):
        migrate(database.url, patience=0)
