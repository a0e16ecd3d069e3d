-- The same as PostgreSQL's, with money in whole minor units: SQLite has no decimal.
CREATE TABLE carts (
    id TEXT PRIMARY KEY,
    items TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 0),
    total INTEGER NOT NULL CHECK (total >= 0),
    touched_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX carts_touched_at ON carts (touched_at);

CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    cart_id TEXT NOT NULL UNIQUE,
    idempotency_key TEXT UNIQUE,
    items TEXT NOT NULL,
    total INTEGER NOT NULL CHECK (total >= 0),
    created_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    price INTEGER NOT NULL CHECK (price >= 0)
) STRICT;
