"""Shared by both peers: statements, connections, table names."""

from __future__ import annotations

import os

import redis
from psycopg_pool import ConnectionPool

ADD = "INSERT INTO carts (id, items, count, total) VALUES (%s, %s::jsonb, %s, %s)"
TAKE = "DELETE FROM carts WHERE id = %s RETURNING items::text, total"
ORDER = (
    "INSERT INTO orders (id, cart_id, idempotency_key, items, total)"
    " VALUES (%s, %s, %s, %s::jsonb, %s)"
)
FOUND = "SELECT id::text FROM orders WHERE cart_id = %s"
PRODUCT = "SELECT name, price FROM products WHERE id = %s"
TTL = 3_600


def connect() -> tuple[ConnectionPool, redis.Redis]:
    """Return a pool and a client, opened in the worker that uses them."""
    url = os.environ["SHOP_DATABASE_URL"]
    pool = ConnectionPool(url, min_size=1, max_size=5, open=True, kwargs={"autocommit": True})
    return pool, redis.Redis.from_url(os.environ["SHOP_REDIS_URL"])


def key(product_id: int) -> str:
    return f"peer:product:{product_id}"
