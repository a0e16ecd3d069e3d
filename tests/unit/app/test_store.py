"""The store's contract on SQLite, and its migrations."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.errors import StoreUnavailableError
from app.store import Store
from app.store.migrations import Migration, MigrationError, migrations, pending
from app.store.sqlite import SqliteStore
from tests.support.app_store_contract import StoreContract
from tests.support.paths import ROOT


class TestSqlite(StoreContract):
    @pytest.fixture
    def again(self, tmp_path: Path) -> Callable[[], Store]:
        return lambda: SqliteStore(str(tmp_path / "shop.db"))

    @pytest.fixture
    def store(self, again: Callable[[], Store]) -> Iterator[Store]:
        store = again()
        yield store
        store.close()


def test_a_locked_database_is_unavailable(tmp_path: Path) -> None:
    path = str(tmp_path / "shop.db")
    store = SqliteStore(path)
    store.check()
    store._connect().execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailableError):
        store.put_product(1, "x", 1)
    other.close()
    store.put_product(1, "x", 1)
    store.close()


@pytest.mark.parametrize("dialect", ["postgres", "sqlite"])
def test_migrations_are_numbered_without_a_gap(dialect: str) -> None:
    assert [each.version for each in migrations(dialect)] == list(
        range(1, len(migrations(dialect)) + 1)
    )


def test_both_dialects_have_the_same_migrations() -> None:
    assert [each.name for each in migrations("postgres")] == [
        each.name for each in migrations("sqlite")
    ]


def lint(*files: Path) -> subprocess.CompletedProcess[str]:
    """Run squawk with the rules of the repository."""
    command = [str(Path(sys.executable).parent / "squawk"), "--reporter=gcc", *map(str, files)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_no_migration_would_hurt_the_release_before() -> None:
    done = lint(*(ROOT / "app/store/migrations/postgres").glob("*.sql"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_migration_changes_at_most_one_table_that_requests_use() -> None:
    """A migration that holds one table and waits for another could deadlock with requests."""
    for migration in migrations("postgres"):
        changed = set(re.findall(r"ALTER TABLE (?:ONLY )?(\w+)", migration.sql, re.IGNORECASE))
        created = set(re.findall(r"CREATE TABLE (\w+)", migration.sql, re.IGNORECASE))
        assert len(changed - created) <= 1, f"{migration.name}: one file for each table"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("DROP COLUMN total", "ban-drop-column"),
        ("RENAME COLUMN items TO things", "renaming-column"),
        ("ALTER COLUMN count TYPE bigint", "changing-column-type"),
        ("ADD COLUMN channel text NOT NULL", "adding-required-field"),
        ("ALTER COLUMN total SET NOT NULL", "adding-not-nullable-field"),
    ],
)
def test_a_migration_that_would_is_refused(tmp_path: Path, change: str, rule: str) -> None:
    file = tmp_path / "0002_change.sql"
    file.write_text(f"ALTER TABLE carts {change};\n", encoding="utf-8")
    done = lint(file)
    assert done.returncode == 1
    assert rule in done.stdout


def test_only_what_has_not_run_is_pending() -> None:
    first, second = Migration(1, "one", "SELECT 1;"), Migration(2, "two", "SELECT 2;")
    assert pending([first, second], {1: first.sha256}) == [second]


def test_a_newer_schema_is_no_error_to_an_older_release() -> None:
    first = Migration(1, "one", "SELECT 1;")
    assert pending([first], {1: first.sha256, 2: "of a newer release"}) == []


def test_a_changed_migration_is_refused() -> None:
    with pytest.raises(MigrationError, match="one was changed after it ran"):
        pending([Migration(1, "one", "SELECT 1;")], {1: "0" * 64})


def test_statements_are_told_apart() -> None:
    sql = "-- a; b\nCREATE TABLE t (\n  x TEXT DEFAULT ';'\n);\nSELECT 1;\n"
    assert [text.strip() for text in Migration(1, "one", sql).statements()] == [
        "-- a; b\nCREATE TABLE t (\n  x TEXT DEFAULT ';'\n);",
        "SELECT 1;",
    ]


def test_a_failing_migration_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shop.db"
    broken = [*migrations("sqlite"), Migration(2, "two", "CREATE TABLE t (x);\nNONSENSE;\n")]
    monkeypatch.setattr("app.store.sqlite.migrations", lambda _: broken)
    with pytest.raises(StoreUnavailableError):
        SqliteStore(str(path)).check()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()
