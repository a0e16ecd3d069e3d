"""The PostgreSQL statements. Money is NUMERIC; items are JSONB, whose numbers are exact too."""

from __future__ import annotations

from typing import Final, LiteralString

Statement = LiteralString

APPLIED: Final = "SELECT version FROM schema_migrations"
CART: Final = "SELECT 1 FROM carts WHERE id = %(cart)s"
CART_IDS: Final = """
SELECT id::text FROM carts WHERE id > %(after)s ORDER BY id LIMIT %(limit)s
"""
TOTALS: Final = "SELECT count(*), coalesce(sum(total), 0) FROM carts"

# RETURNING, because the same method runs and fetches every statement
ADD_CART: Final = """
INSERT INTO carts (id, items, count, total)
VALUES (%(cart)s, %(items)s::jsonb, %(count)s, %(total)s)
ON CONFLICT DO NOTHING
RETURNING 1
"""
REPLACE_CART: Final = """
UPDATE carts SET items = %(items)s::jsonb, count = %(count)s, total = %(total)s, touched_at = now()
WHERE id = %(cart)s
RETURNING 1
"""

# One statement, so one transaction: it deletes the cart and inserts the order. A second
# checkout of the same cart waits for the row lock, then finds no row.
CHECK_OUT: Final = """
WITH gone AS (
    DELETE FROM carts
    WHERE id = %(cart)s AND coalesce(%(count)s::integer, count) > 0
    RETURNING items, total
)
INSERT INTO orders (id, cart_id, idempotency_key, items, total)
SELECT %(order)s, %(cart)s, %(key)s::text,
    coalesce(%(items)s::jsonb, items), coalesce(%(total)s::numeric, total)
FROM gone
RETURNING total
"""
ORDER_OF_CART: Final = "SELECT id::text, total FROM orders WHERE cart_id = %(cart)s"

# SKIP LOCKED: a cart that is being checked out is not abandoned
EXPIRE: Final = """
DELETE FROM carts WHERE id IN (
    SELECT id FROM carts WHERE touched_at < now() - make_interval(secs => %(idle)s)
    ORDER BY touched_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
RETURNING 1
"""

PUT_PRODUCT: Final = """
INSERT INTO products (id, name, price) VALUES (%(id)s, %(name)s, %(price)s)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, price = excluded.price
RETURNING 1
"""
PRODUCT: Final = "SELECT name, price FROM products WHERE id = %(id)s"
PRODUCTS: Final = "SELECT id, name, price FROM products ORDER BY id LIMIT %(limit)s"
