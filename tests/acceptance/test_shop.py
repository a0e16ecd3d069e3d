"""Requests of a shopper to a running shop: SHOP_URL=http://... pytest tests/acceptance."""

from __future__ import annotations

import json
import os
import uuid
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

ITEM = {"description": "Acceptance test", "qty": 2, "unitPrice": 499.99}


@pytest.fixture(scope="session")
def shop() -> str:
    url = os.environ.get("SHOP_URL", "").rstrip("/")
    if not url:
        pytest.fail("Say which shop is asked: SHOP_URL=http://127.0.0.1:8080")
    return url


def ask(url: str, body: object | None = None, **headers: str) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    # The tester chooses the URL.
    request = Request(url, data, headers={"Content-Type": "application/json", **headers})  # noqa: S310
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def cart_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def test_it_is_healthy(shop: str) -> None:
    status, text = ask(f"{shop}/status")
    assert (status, json.loads(text)["status"]) == (200, "healthy")


def test_a_cart_becomes_one_order(shop: str) -> None:
    status, text = ask(f"{shop}/cart", {"items": [ITEM]})
    cart = cart_of(text)
    assert (status, cart["items"]) == (200, [ITEM])
    status, carts = ask(f"{shop}/carts")
    assert (status, cart["id"] in json.loads(carts)) == (200, True)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    status, order = ask(f"{shop}/cart/checkout", {"id": cart["id"]}, **key)
    assert status == 200
    assert str(uuid.UUID(order.strip())) == order.strip()
    assert ask(f"{shop}/cart/checkout", {"id": cart["id"]}, **key) == (200, order)
    assert cart["id"] not in json.loads(ask(f"{shop}/carts")[1])


def test_a_cart_that_is_wrong_is_refused_by_the_field(shop: str) -> None:
    status, text = ask(f"{shop}/cart", {"items": [{**ITEM, "qty": -1}]})
    assert (status, json.loads(text)["field"]) == (422, "items[0].qty")


def test_an_unknown_product_is_not_found(shop: str) -> None:
    status, _ = ask(f"{shop}/product/2147483000")
    assert status == 404
