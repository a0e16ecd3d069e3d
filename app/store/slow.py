"""A slow store: the fault ``dbslow``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from app.store.base import Store


class _SlowStore:
    def __init__(self, store: Store, wait: Callable[[], None]) -> None:
        self._store = store
        self._wait = wait

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name in ("migrate", "check", "close"):  # slow for shoppers, not for the proxy
            return method

        def slowly(*values: Any) -> Any:
            self._wait()
            return method(*values)

        return slowly


def slowed(store: Store, wait: Callable[[], None]) -> Store:
    """Return ``store`` with ``wait`` before each of its calls."""
    return cast("Store", _SlowStore(store, wait))
