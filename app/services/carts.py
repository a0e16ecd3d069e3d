"""Carts and their checkout."""

from __future__ import annotations

import uuid

from app.errors import ProblemError
from app.faults import Faults
from app.models import Cart, CartIn, CheckoutIn, Item, ItemIn, encode, priced
from app.store import Store
from app.store.base import (
    CartCheckedOutError,
    Content,
    EmptyCartError,
    UnknownCartError,
)


class Carts:
    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    def save(self, cart: CartIn) -> Cart:
        """Store a new cart, or replace the items of an existing one."""
        items, content = self._content(cart.items)
        if cart.id is None:
            new = Cart(new_id(), items)
            self._store.add_cart(new.id, content)
            return new
        known = Cart(cart.id.lower(), items)
        try:
            self._store.replace_cart(known.id, content)
        except UnknownCartError:
            raise unknown(known.id) from None
        except CartCheckedOutError:
            raise ProblemError(409, f"Cart {known.id} was checked out.", "id") from None
        return known

    def check_out(self, cart: CheckoutIn, key: str | None) -> str:
        """Return the order of the cart. A repeated checkout returns the same order."""
        cart_id = cart.id.lower()
        content = None if cart.items is None else self._content(cart.items)[1]
        try:
            return self._store.check_out(new_id(), cart_id, key, content).id
        except UnknownCartError:
            raise unknown(cart_id) from None
        except EmptyCartError:
            raise ProblemError(409, f"Cart {cart_id} is empty.", "items") from None

    def ids(self, after: str, limit: int) -> tuple[list[str], bool]:
        """Return ids of active carts in order, and whether there are more."""
        found = self._store.cart_ids(after.lower(), limit + 1)
        return found[:limit], len(found) > limit

    def _content(self, items: list[ItemIn]) -> tuple[list[Item], Content]:
        kept, total = priced(items)
        total = self._faults.total(total)
        return kept, Content(encode(kept).decode(), len(kept), total)


def unknown(cart_id: str) -> ProblemError:
    return ProblemError(404, f"No active cart has the id {cart_id}.", "id")


def new_id() -> str:
    """Return a random UUID. It must be unguessable, because only the id protects a cart."""
    return str(uuid.uuid4())
