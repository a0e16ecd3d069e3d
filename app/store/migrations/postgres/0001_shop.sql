-- Carts, what became of them, and the catalogue.
CREATE TABLE carts (
    id uuid PRIMARY KEY,
    items jsonb NOT NULL,
    count integer NOT NULL CHECK (count >= 0),
    total numeric(12, 2) NOT NULL CHECK (total >= 0),
    touched_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX carts_touched_at ON carts (touched_at);

-- One order a cart, and one order a key: two checkouts at once cannot both insert.
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    cart_id uuid NOT NULL UNIQUE,
    idempotency_key text UNIQUE,
    items jsonb NOT NULL,
    total numeric(12, 2) NOT NULL CHECK (total >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE products (
    id integer PRIMARY KEY,
    name text NOT NULL,
    price numeric(10, 2) NOT NULL CHECK (price >= 0)
);
