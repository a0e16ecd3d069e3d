"""The embedded store: one SQLite file, shared by the workers of one machine.

WAL with synchronous=NORMAL: a killed process loses nothing; a power failure may lose the last
transactions. Each thread has its own connection, opened at first use.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import StoreUnavailableError
from app.store.base import (
    CartCheckedOutError,
    Content,
    EmptyCartError,
    Order,
    Totals,
    UnknownCartError,
    stored_key,
)
from app.store.migrations import CREATE_TABLE, migrations, pending


class SqliteStore:
    def __init__(self, path: str) -> None:
        self._path = path
        self._local = threading.local()
        self._leading: int | None = None

    def migrate(self, patience: float) -> None:  # noqa: ARG002 - its one machine waits in turn
        self.check()

    def check(self) -> None:
        with self._connection() as connection:
            connection.execute("SELECT 1 FROM carts LIMIT 1")

    def add_cart(self, cart_id: str, content: Content) -> None:
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO carts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (cart_id, content.items, content.count, content.total, time.time()),
            )

    def replace_cart(self, cart_id: str, content: Content) -> None:
        with self._connection() as connection:
            done = connection.execute(
                "UPDATE carts SET items = ?, count = ?, total = ?, touched_at = ? WHERE id = ?",
                (content.items, content.count, content.total, time.time(), cart_id),
            )
            if done.rowcount:
                return
            ordered = connection.execute("SELECT 1 FROM orders WHERE cart_id = ?", (cart_id,))
            raise CartCheckedOutError if ordered.fetchone() else UnknownCartError

    def check_out(
        self, order_id: str, cart_id: str, key: str | None, content: Content | None
    ) -> Order:
        with self._transaction() as connection:
            if before := _order(connection, cart_id):
                return before
            row = connection.execute(
                "DELETE FROM carts WHERE id = ? RETURNING items, count, total", (cart_id,)
            ).fetchone()
            if row is None:
                raise UnknownCartError
            ordered = content or Content(*row)
            if not ordered.count:
                raise EmptyCartError
            connection.execute(
                "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)",
                (
                    order_id,
                    cart_id,
                    stored_key(cart_id, key),
                    ordered.items,
                    ordered.total,
                    time.time(),
                ),
            )
            return Order(order_id, cart_id, ordered.total, created=True)

    def cart_ids(self, after: str, limit: int) -> list[str]:
        with self._connection() as connection:
            query = "SELECT id FROM carts WHERE id > ? ORDER BY id LIMIT ?"
            return [row[0] for row in connection.execute(query, (after, limit))]

    def totals(self) -> Totals:
        with self._connection() as connection:
            row = connection.execute("SELECT count(*), coalesce(sum(total), 0) FROM carts")
            return Totals(*row.fetchone())

    def expire(self, idle_seconds: int, limit: int) -> int:
        with self._connection() as connection:
            return connection.execute(
                "DELETE FROM carts WHERE id IN"
                " (SELECT id FROM carts WHERE touched_at < ? ORDER BY touched_at LIMIT ?)",
                (time.time() - idle_seconds, limit),
            ).rowcount

    def lead(self) -> bool:
        if self._leading is None:
            lock = os.open(f"{self._path}.leader", os.O_RDWR | os.O_CREAT, 0o640)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                return False
            self._leading = lock
        return True

    def put_product(self, product_id: int, name: str, price: int) -> None:
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO products VALUES (?, ?, ?) ON CONFLICT (id)"
                " DO UPDATE SET name = excluded.name, price = excluded.price",
                (product_id, name, price),
            )

    def product(self, product_id: int) -> tuple[str, int] | None:
        with self._connection() as connection:
            row: tuple[str, int] | None = connection.execute(
                "SELECT name, price FROM products WHERE id = ?", (product_id,)
            ).fetchone()
            return row

    def products(self, limit: int) -> list[tuple[int, str, int]]:
        with self._connection() as connection:
            query = "SELECT id, name, price FROM products ORDER BY id LIMIT ?"
            return connection.execute(query, (limit,)).fetchall()

    def close(self) -> None:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection:
            connection.close()
            del self._local.connection
        if self._leading is not None:
            os.close(self._leading)
            self._leading = None

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connect()
        except (sqlite3.OperationalError, OSError) as error:
            raise StoreUnavailableError(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = _open(self._path)
            self._local.connection = connection
        return connection


def _order(connection: sqlite3.Connection, cart_id: str) -> Order | None:
    row = connection.execute(
        "SELECT id, total FROM orders WHERE cart_id = ?", (cart_id,)
    ).fetchone()
    return None if row is None else Order(row[0], cart_id, row[1], created=False)


def _open(path: str) -> sqlite3.Connection:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
    with _one_at_a_time(f"{path}.opening"):  # the change to WAL does not wait for a lock
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        _migrate(connection)
    return connection


@contextmanager
def _one_at_a_time(path: str) -> Iterator[None]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _migrate(connection: sqlite3.Connection) -> None:
    """Migrate the schema to this release; the write lock serializes two starts."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(CREATE_TABLE)
        applied = dict(connection.execute("SELECT version, sha256 FROM schema_migrations"))
        for migration in pending(migrations("sqlite"), applied):
            for statement in migration.statements():
                connection.execute(statement)
            row = (migration.version, migration.name, migration.sha256)
            connection.execute("INSERT INTO schema_migrations VALUES (?, ?, ?)", row)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
