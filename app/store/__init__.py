"""The store of carts, orders and products: one interface, two databases."""

from __future__ import annotations

from app.settings import Settings
from app.store.base import Order, Store, Totals

__all__ = ["Order", "Store", "Totals", "open_store"]


def open_store(settings: Settings) -> Store:
    """Return the store in the settings. It connects at first use, not here.

    So a process may fork after this call, and may start before its database.
    """
    if settings.is_sqlite:
        from app.store.sqlite import SqliteStore

        return SqliteStore(settings.database_url.removeprefix("sqlite:///"))
    from app.store.postgres import PostgresStore

    return PostgresStore(settings.database_url, connections=settings.threads + 1)
