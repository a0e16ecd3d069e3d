"""The store for deployments: PostgreSQL, with one pool in each process, opened at first use.

Every method is one statement or one transaction, and idempotent: the caller makes the ids, so a
retry after a lost connection finds the result of the first attempt.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from app.errors import StoreUnavailableError
from app.store import schema
from app.store import statements as sql
from app.store.base import (
    CartCheckedOutError,
    Content,
    EmptyCartError,
    Order,
    Totals,
    UnknownCartError,
    stored_key,
)

T = TypeVar("T")
Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]
Pool = ConnectionPool[Connection]

#: No connection or a lost one; not a timeout of a statement, which would time out again.
_LOST = (psycopg.OperationalError, psycopg.InterfaceError)
_SLOW = (PoolTimeout, psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)
#: The schema is older than this release: the migration has not run yet.
_BEHIND = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
_LEADER_LOCK = 0x73686F71  # "shoq", because the migration uses "shop"
_RESTART_SECONDS = 1.5
_ASK_AGAIN_SECONDS = 0.1
#: Longer than the proxy waits for a response (``timeout server``). So if one host cannot reach its
#: database, the proxy retries on another host, and no shopper sees an error. Each thread has its
#: own connection, so no request waits this long for a busy pool.
_CONNECTION_SECONDS = 3.5


class PatientConnection(psycopg.Connection[Row]):
    """Waits for a server that restarts; the pool itself would retry once a second."""

    @classmethod
    def connect(cls, conninfo: str = "", **options: Any) -> PatientConnection:
        until = time.monotonic() + _RESTART_SECONDS
        while True:
            try:
                return super().connect(conninfo, **options)
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(_ASK_AGAIN_SECONDS)


class PostgresStore:
    def __init__(self, url: str, connections: int) -> None:
        self._url = url
        self._connections = connections
        self._pool: Pool | None = None
        self._opening = threading.Lock()
        self._leading: Connection | None = None

    def migrate(self, patience: float) -> None:
        try:
            schema.migrate(self._url, patience)
        except _LOST as error:
            raise StoreUnavailableError(error) from error

    def check(self) -> None:
        """Check without reading anything that a migration locks."""
        missing = schema.missing(row[0] for row in self._rows(sql.APPLIED, {}))
        if missing:
            raise StoreUnavailableError(f"migration {missing[0]} has not run")

    def add_cart(self, cart_id: str, content: Content) -> None:
        self._row(sql.ADD_CART, {"cart": cart_id, **_columns(content)})

    def replace_cart(self, cart_id: str, content: Content) -> None:
        if self._row(sql.REPLACE_CART, {"cart": cart_id, **_columns(content)}) is None:
            ordered = self._row(sql.ORDER_OF_CART, {"cart": cart_id})
            raise CartCheckedOutError if ordered else UnknownCartError

    def check_out(
        self, order_id: str, cart_id: str, key: str | None, content: Content | None
    ) -> Order:
        own = {"order": order_id, "cart": cart_id, "key": stored_key(cart_id, key)}
        values = {**own, **_columns(content)}
        try:
            row = self._row(sql.CHECK_OUT, values)
        except psycopg.errors.UniqueViolation:  # nothing has changed, because it was one statement
            row = None
        if row:
            return Order(order_id, cart_id, _cents(row[0]), created=True)
        return self._settled(cart_id)

    def _settled(self, cart_id: str) -> Order:
        """Return the order of this cart, or raise the reason why there is none."""
        row = self._row(sql.ORDER_OF_CART, {"cart": cart_id})
        if row is None:
            raise EmptyCartError if self._row(sql.CART, {"cart": cart_id}) else UnknownCartError
        return Order(row[0], cart_id, _cents(row[1]), created=False)

    def cart_ids(self, after: str, limit: int) -> list[str]:
        return [row[0] for row in self._rows(sql.CART_IDS, {"after": after, "limit": limit})]

    def totals(self) -> Totals:
        (row,) = self._rows(sql.TOTALS, {})
        return Totals(row[0], _cents(row[1]))

    def expire(self, idle_seconds: int, limit: int) -> int:
        return len(self._rows(sql.EXPIRE, {"idle": idle_seconds, "limit": limit}))

    def lead(self) -> bool:
        """Hold an advisory lock of the session; it is released when the session ends."""
        try:
            if self._leading is None or self._leading.closed:
                self._leading = _campaign(self._url)
            else:
                self._leading.execute("SELECT 1")
        except _LOST as error:
            self._stop_leading()
            raise StoreUnavailableError(error) from error
        return self._leading is not None

    def _stop_leading(self) -> None:
        if self._leading:
            self._leading.close()
            self._leading = None

    def put_product(self, product_id: int, name: str, price: int) -> None:
        self._row(sql.PUT_PRODUCT, {"id": product_id, "name": name, "price": _amount(price)})

    def product(self, product_id: int) -> tuple[str, int] | None:
        row = self._row(sql.PRODUCT, {"id": product_id})
        return (row[0], _cents(row[1])) if row else None

    def products(self, limit: int) -> list[tuple[int, str, int]]:
        rows = self._rows(sql.PRODUCTS, {"limit": limit})
        return [(row[0], row[1], _cents(row[2])) for row in rows]

    def close(self) -> None:
        self._stop_leading()
        if self._pool:
            self._pool.close()
            self._pool = None

    def _row(self, statement: sql.Statement, values: dict[str, Any]) -> Row | None:
        rows = self._rows(statement, values)
        return rows[0] if rows else None

    def _rows(self, statement: sql.Statement, values: dict[str, Any]) -> list[Row]:
        def run(pool: Pool) -> list[Row]:
            with pool.connection() as connection:
                return connection.execute(statement, values).fetchall()

        return self._retried(run)

    def _retried(self, run: Callable[[Pool], T]) -> T:
        """Run an operation; after a lost connection, retry once on a checked one."""
        try:
            pool = self._opened()
            try:
                return run(pool)
            except _SLOW:
                raise
            except _LOST:
                pool.check()
                return run(pool)
        except (*_LOST, *_BEHIND) as error:
            raise StoreUnavailableError(error) from error

    def _opened(self) -> Pool:
        if self._pool is None:
            with self._opening:
                if self._pool is None:
                    self._pool = _open(self._url, self._connections)
        return self._pool


def _campaign(url: str) -> Connection | None:
    """Return a session that holds the leader's lock, or None if another session holds it."""
    connection: Connection = psycopg.connect(
        url, autocommit=True, connect_timeout=2, application_name="shop leader"
    )
    won = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LEADER_LOCK,)).fetchone()
    if won and won[0]:
        return connection
    connection.close()
    return None


def _open(url: str, connections: int) -> Pool:
    """Open a pool that detects a lost server within seconds and reconnects at the next request."""
    pool: Pool = ConnectionPool(
        url,
        connection_class=PatientConnection,
        min_size=1,
        max_size=connections,
        open=True,
        timeout=_CONNECTION_SECONDS,
        reconnect_timeout=2,
        kwargs={
            "autocommit": True,
            "prepare_threshold": 1,
            "connect_timeout": 2,
            "tcp_user_timeout": 3_000,
            "application_name": "shop",
            "options": "-c statement_timeout=2500 -c lock_timeout=2000",
        },
    )
    return pool


def _columns(content: Content | None) -> dict[str, Any]:
    if content is None:
        return {"items": None, "count": None, "total": None}
    return {"items": content.items, "count": content.count, "total": _amount(content.total)}


def _amount(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _cents(amount: Decimal) -> int:
    return int(amount.scaleb(2))
