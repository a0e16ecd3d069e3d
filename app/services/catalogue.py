"""The catalogue: products, lazily cached."""

from __future__ import annotations

from app.cache import Cache
from app.errors import ProblemError
from app.models import Product, encode, money
from app.store import Store

LISTED = 1_000
PREFIX = "shop:product:"


class Catalogue:
    def __init__(self, store: Store, cache: Cache) -> None:
        self._store = store
        self._cache = cache

    def put(self, product_id: int, name: str, cents: int) -> Product:
        """Store a new or changed product. Every later ``get`` returns it."""
        self._store.put_product(product_id, name, cents)
        self._cache.forget(_key(product_id))
        return Product(product_id, name, money(cents))

    def get(self, product_id: int) -> bytes:
        """Return the product as JSON."""
        found = self._cache.fetch(_key(product_id), lambda: self._load(product_id))
        if found is None:
            raise ProblemError(404, f"No product has the id {product_id}.", "id")
        return found

    def products(self) -> list[Product]:
        """Return the first products by id, for the web page."""
        rows = self._store.products(LISTED)
        return [Product(number, name, money(price)) for number, name, price in rows]

    def _load(self, product_id: int) -> bytes | None:
        row = self._store.product(product_id)
        return encode(Product(product_id, row[0], money(row[1]))) if row else None


def _key(product_id: int) -> str:
    return f"{PREFIX}{product_id}"
