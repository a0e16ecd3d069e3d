"""Migration of the PostgreSQL schema at a start, while other releases serve.

A statement that waits for a table lock blocks every later query of that table. So each attempt
waits only briefly, then releases its locks and tries again. An attempt that takes too long is
rolled back.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg

from app.store.migrations import CREATE_TABLE, Migration, MigrationError, migrations, pending

Connection = psycopg.Connection[tuple[Any, ...]]

_MIGRATION_LOCK = 0x73686F70  # "shop"
_APPLICATION = "shop migration"
#: Both are shorter than the timeouts of a request (options of ``PostgresStore``).
_LOCK_SECONDS = 0.2
_TRY_SECONDS = 1.5
#: Random each time, so that the pauses never keep step with the locks of another session.
_PAUSES = (0.1, 0.3)
_GIVE_WAY = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.DeadlockDetected,
)


class MigrationBlockedError(MigrationError):
    """The migration would block other users; nothing was changed."""


def missing(applied: Iterable[int]) -> list[str]:
    """Return the names of the migrations of this release that have not run."""
    versions = frozenset(applied)
    return [each.name for each in migrations("postgres") if each.version not in versions]


def migrate(url: str, patience: float) -> None:
    """Run all pending migrations, each whole or not at all; give up after ``patience`` seconds.

    Raises:
        MigrationError: a migration is invalid, or would block other users.
        psycopg.OperationalError: the database does not respond.
    """
    until = time.monotonic() + patience
    with psycopg.connect(
        url, autocommit=True, connect_timeout=2, application_name=_APPLICATION
    ) as connection:
        if not _pending(connection):
            return
        _take_turn(connection, until, patience)
        connection.execute(CREATE_TABLE)
        for migration in _pending(connection):
            _run(connection, migration, until)
        # PostgreSQL notices a closed connection later, and the next instance may have no patience.
        connection.execute("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))


def _pending(connection: Connection) -> list[Migration]:
    table = connection.execute("SELECT to_regclass('schema_migrations')").fetchone()
    if table is None or table[0] is None:
        return migrations("postgres")
    rows = connection.execute("SELECT version, sha256 FROM schema_migrations").fetchall()
    applied: dict[int, str] = dict(rows)
    return pending(migrations("postgres"), applied)


def _take_turn(connection: Connection, until: float, patience: float) -> None:
    """Take the migration lock, which is released with the connection at the latest."""
    for last in _tries(until):
        won = connection.execute("SELECT pg_try_advisory_lock(%s)", (_MIGRATION_LOCK,)).fetchone()
        if won and won[0]:
            return
        if last:
            raise MigrationBlockedError(
                f"Another instance has been migrating for {patience:g} s. "
                "Nothing was changed; start again later."
            )


def _run(connection: Connection, migration: Migration, until: float) -> None:
    for last in _tries(until):
        try:
            _try(connection, migration)
            return
        except _GIVE_WAY as error:
            if last:
                raise MigrationBlockedError(_blocked(migration, error)) from error


def _try(connection: Connection, migration: Migration) -> None:
    """Run one migration in one transaction, which holds few tables: others may need two at once."""
    until = time.monotonic() + _TRY_SECONDS
    try:
        with connection.transaction():
            _bound(connection, "lock_timeout", _LOCK_SECONDS)
            # A process that is paused here would keep its locks.
            _bound(connection, "idle_in_transaction_session_timeout", _TRY_SECONDS)
            for statement in migration.statements():
                _bound(connection, "statement_timeout", max(0.001, until - time.monotonic()))
                connection.execute(statement.encode())
            row = (migration.version, migration.name, migration.sha256)
            connection.execute("INSERT INTO schema_migrations VALUES (%s, %s, %s)", row)
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        reason = str(error).splitlines()[0]
        raise MigrationError(f"Migration {migration.name} failed: {reason}.") from error


def _blocked(migration: Migration, error: psycopg.OperationalError) -> str:
    if isinstance(error, psycopg.errors.QueryCanceled):
        return (
            f"Migration {migration.name} holds its tables for over {_TRY_SECONDS:g} s, and "
            "requests would fail. Nothing was changed; split it into smaller steps."
        )
    return (
        f"Migration {migration.name} waits for a table that another session holds. "
        "Nothing was changed; end that session, or start again later."
    )


def _bound(connection: Connection, setting: str, seconds: float) -> None:
    value = f"{int(seconds * 1000)}ms"
    connection.execute("SELECT set_config(%s, %s, true)", (setting, value))


def _tries(until: float) -> Iterator[bool]:
    """Yield whether this is the last attempt, with pauses between; at least one attempt."""
    while until - time.monotonic() > (pause := random.uniform(*_PAUSES)):  # noqa: S311
        yield False
        time.sleep(pause)
    yield True
