"""What a store does, in terms that both databases keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Order:
    """What became of a cart. ``total`` is in minor units."""

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
    """What a cart holds: its items as JSON, how many, and their exact total in minor units."""

    items: str
    count: int
    total: int


class Store(Protocol):
    """Every method is safe to repeat: a lost connection is tried again once.

    Raises:
        StoreUnavailableError: the database does not answer.
    """

    def migrate(self, patience: float) -> None:
        """Bring the schema up to this release's, within ``patience`` seconds; ask at a start.

        Raises ``MigrationError`` if that would hold up other users of the store.
        """
        ...

    def check(self) -> None:
        """Answer, with the schema in place."""
        ...

    def add_cart(self, cart_id: str, content: Content) -> None: ...

    def replace_cart(self, cart_id: str, content: Content) -> None:
        """Raises ``UnknownCartError`` or ``CartCheckedOutError``."""
        ...

    def check_out(
        self, order_id: str, cart_id: str, key: str | None, content: Content | None
    ) -> Order:
        """Turn the cart into an order, in one transaction, once.

        A cart that has become an order gives that order again, whatever ``order_id`` says.
        Raises ``UnknownCartError``, ``EmptyCartError`` or ``KeyUsedError``.
        """
        ...

    def cart_ids(self) -> list[str]: ...

    def totals(self) -> Totals: ...

    def expire(self, idle_seconds: int, limit: int) -> int:
        """Delete at most ``limit`` carts that nobody touched; return how many."""
        ...

    def lead(self) -> bool:
        """Whether this process is the environment's one leader, now and until it loses the store.

        The first to ask is, and stays so while it lives; then another is.
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


class KeyUsedError(Exception):
    """The idempotency key belongs to the order of another cart."""
