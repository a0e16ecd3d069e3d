"""The interface of a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a cart. ``total`` is in minor units."""

    id: str
    cart_id: str
    total: int
    created: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """The active carts of the environment, and their value in minor units."""

    carts: int
    value: int


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a cart: items as JSON, their number, and the exact total in minor units."""

    items: str
    count: int
    total: int


class Store(Protocol):
    """All methods are idempotent; after a lost connection they are retried once.

    Raises:
        StoreUnavailableError: the database does not respond.
    """

    def migrate(self, patience: float) -> None:
        """Migrate the schema to this release, within ``patience`` seconds. Call it at a start.

        Raises ``MigrationError`` if that would block other users of the store.
        """
        ...

    def check(self) -> None:
        """Check that the store responds and has the schema."""
        ...

    def add_cart(self, cart_id: str, content: Content) -> None: ...

    def replace_cart(self, cart_id: str, content: Content) -> None:
        """Replace the items of a cart. Raises ``UnknownCartError`` or ``CartCheckedOutError``."""
        ...

    def check_out(
        self, order_id: str, cart_id: str, key: str | None, content: Content | None
    ) -> Order:
        """Turn the cart into an order, in one transaction, once.

        For a cart that is already an order, return that order and ignore ``order_id``. Raises
        ``UnknownCartError`` or ``EmptyCartError``. The key is stored with the cart's id, so one
        client's key never meets another's.
        """
        ...

    def cart_ids(self, after: str, limit: int) -> list[str]:
        """Return the first ids of active carts after ``after``, in order."""
        ...

    def totals(self) -> Totals: ...

    def expire(self, idle_seconds: int, limit: int) -> int:
        """Delete at most ``limit`` abandoned carts; return how many."""
        ...

    def lead(self) -> bool:
        """Return whether this process is the leader of the environment.

        The first caller is the leader until it ends or loses the store. Then another caller leads.
        """
        ...

    def put_product(self, product_id: int, name: str, price: int) -> None: ...

    def product(self, product_id: int) -> tuple[str, int] | None:
        """Return name and price in minor units."""
        ...

    def products(self, limit: int) -> list[tuple[int, str, int]]:
        """Return id, name and price of the first products by id."""
        ...

    def close(self) -> None: ...


class UnknownCartError(Exception):
    """No active cart has this id."""


class CartCheckedOutError(Exception):
    """The cart has become an order."""


class EmptyCartError(Exception):
    """There is nothing to order."""


def stored_key(cart_id: str, key: str | None) -> str | None:
    """Return the key as it is stored: a key belongs to its cart.

    >>> stored_key("5d61db58", "k-1")
    '5d61db58:k-1'
    """
    return None if key is None else f"{cart_id}:{key}"
