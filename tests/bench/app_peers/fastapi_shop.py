# mypy: disable-error-code="import-not-found, untyped-decorator"
"""The shop's routes, written plainly in FastAPI."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal

from fastapi import FastAPI, Header, HTTPException, Response
from pydantic import BaseModel, Field

from .common import ADD, FOUND, ORDER, PRODUCT, TAKE, TTL, connect, key

app = FastAPI()
pool, cache = connect()


class Item(BaseModel):
    description: str = Field(min_length=1, max_length=200)
    qty: int = Field(ge=1, le=1000)
    unitPrice: Decimal = Field(ge=0, lt=100_000, decimal_places=2)  # noqa: N815


class CartIn(BaseModel):
    id: uuid.UUID | None = None
    items: list[Item] = Field(max_length=100)


class CheckoutIn(BaseModel):
    id: uuid.UUID


class ItemOut(BaseModel):
    description: str
    qty: int
    unitPrice: float  # noqa: N815


class CartOut(BaseModel):
    id: str
    items: list[ItemOut]


@app.post("/cart")
def cart(body: CartIn) -> CartOut:
    cart_id = str(uuid.uuid4())
    total = sum((item.qty * item.unitPrice for item in body.items), Decimal(0))
    items = [ItemOut(**item.model_dump()) for item in body.items]
    document = json.dumps([item.model_dump() for item in items])
    with pool.connection() as connection:
        connection.execute(ADD, (cart_id, document, len(items), total))
    return CartOut(id=cart_id, items=items)


@app.post("/cart/checkout")
def checkout(body: CheckoutIn, idempotency_key: str | None = Header(None)) -> Response:
    order_id = str(uuid.uuid4())
    with pool.connection() as connection, connection.transaction():
        row = connection.execute(TAKE, (body.id,)).fetchone()
        if row is None:
            found = connection.execute(FOUND, (body.id,)).fetchone()
            if not found:
                raise HTTPException(404)
            return Response(found[0], media_type="text/plain")
        connection.execute(ORDER, (order_id, body.id, idempotency_key, *row))
    return Response(order_id, media_type="text/plain")


@app.get("/product/{product_id}")
def product(product_id: int) -> Response:
    cached = cache.get(key(product_id))
    if cached is None:
        with pool.connection() as connection:
            row = connection.execute(PRODUCT, (product_id,)).fetchone()
        if row is None:
            raise HTTPException(404)
        cached = json.dumps({"id": product_id, "name": row[0], "price": float(row[1])}).encode()
        cache.set(key(product_id), cached, ex=TTL)
    return Response(cached, media_type="application/json")
