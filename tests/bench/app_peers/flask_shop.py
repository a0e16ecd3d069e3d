"""The shop's routes, written plainly in Flask."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Flask, Response, abort, jsonify, request

from .common import ADD, FOUND, ORDER, PRODUCT, TAKE, TTL, connect, key

app = Flask(__name__)
pool, cache = connect()


def checked(body: Any) -> list[dict[str, Any]]:
    try:
        items: list[dict[str, Any]] = [
            {
                "description": str(item["description"]),
                "qty": int(item["qty"]),
                "unitPrice": Decimal(str(item["unitPrice"])),
            }
            for item in body["items"]
        ]
    except (KeyError, TypeError, ValueError, InvalidOperation):
        abort(422)
    if any(not 1 <= each["qty"] <= 1000 or not 0 <= each["unitPrice"] < 100_000 for each in items):
        abort(422)
    return items


def as_json(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "unitPrice": float(each["unitPrice"])} for each in items]


@app.post("/cart")
def cart() -> Response:
    items = checked(request.get_json(force=True))
    cart_id = str(uuid.uuid4())
    shown = as_json(items)
    total = sum((each["qty"] * each["unitPrice"] for each in items), Decimal(0))
    with pool.connection() as connection:
        connection.execute(ADD, (cart_id, json.dumps(shown), len(shown), total))
    return jsonify({"id": cart_id, "items": shown})


@app.post("/cart/checkout")
def checkout() -> Response:
    body = request.get_json(force=True)
    order_id = str(uuid.uuid4())
    with pool.connection() as connection, connection.transaction():
        row = connection.execute(TAKE, (body["id"],)).fetchone()
        if row is None:
            found = connection.execute(FOUND, (body["id"],)).fetchone()
            return Response(found[0]) if found else abort(404)
        values = (order_id, body["id"], request.headers.get("Idempotency-Key"), *row)
        connection.execute(ORDER, values)
    return Response(order_id, mimetype="text/plain")


@app.get("/product/<int:product_id>")
def product(product_id: int) -> Response:
    cached = cache.get(key(product_id))
    if cached is None:
        with pool.connection() as connection:
            row = connection.execute(PRODUCT, (product_id,)).fetchone()
        if row is None:
            abort(404)
        cached = json.dumps({"id": product_id, "name": row[0], "price": float(row[1])}).encode()
        cache.set(key(product_id), cached, ex=TTL)
    return Response(cached, mimetype="application/json")
