"""Input that the shop must reject, with the status and the field that it must name.

One table for the unit tests (SQLite) and the integration tests (PostgreSQL).
"""

from __future__ import annotations

from typing import Any

ITEM = {"description": "Ugly christmas sweater", "qty": "1", "unitPrice": "500"}


def cart(**changes: Any) -> dict[str, Any]:
    """Return a cart with one changed item. The value ... removes a field."""
    item = {name: value for name, value in {**ITEM, **changes}.items() if value is not ...}
    return {"items": [item]}


NOT_JSON: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("cut short", b'{"items":['),
    ("NaN", b'{"items":[{"description":"x","qty":1,"unitPrice":NaN}]}'),
    ("Infinity", b'{"items":[{"description":"x","qty":1,"unitPrice":Infinity}]}'),
    ("not UTF-8", b'{"items":[{"description":"\xff","qty":1,"unitPrice":1}]}'),
    ("half a surrogate", b'{"items":[{"description":"\\ud800","qty":1,"unitPrice":1}]}'),
    ("a form", b"items=1&qty=2"),
    ("very deep", b'{"other":' + b"[" * 50_000),
]

#: (what, body, field)
INVALID: list[tuple[str, object, str]] = [
    ("an array", [], "body"),
    ("a string", "cart", "body"),
    ("null", None, "body"),
    ("no items", {}, "items"),
    ("items null", {"items": None}, "items"),
    ("items an object", {"items": {}}, "items"),
    ("101 items", {"items": [ITEM] * 101}, "items"),
    ("item a number", {"items": [1]}, "items[0]"),
    ("second item wrong", {"items": [ITEM, {**ITEM, "qty": 0}]}, "items[1].qty"),
    ("no description", cart(description=...), "items[0].description"),
    ("description empty", cart(description=""), "items[0].description"),
    ("description a number", cart(description=1), "items[0].description"),
    ("description too long", cart(description="x" * 201), "items[0].description"),
    ("description with NUL", cart(description="a\0b"), "items[0].description"),
    ("no qty", cart(qty=...), "items[0].qty"),
    ("qty null", cart(qty=None), "items[0].qty"),
    ("qty true", cart(qty=True), "items[0].qty"),
    ("qty zero", cart(qty=0), "items[0].qty"),
    ("qty negative", cart(qty=-1), "items[0].qty"),
    ("qty negative text", cart(qty="-1"), "items[0].qty"),
    ("qty a fraction", cart(qty=1.5), "items[0].qty"),
    ("qty huge", cart(qty=1_001), "items[0].qty"),
    ("qty over 64 bits", cart(qty=2**70), "items[0].qty"),
    ("qty of 5,000 digits", cart(qty="9" * 5_000), "items[0].qty"),
    ("qty words", cart(qty="two"), "items[0].qty"),
    ("qty with underscore", cart(qty="1_0"), "items[0].qty"),
    ("qty hexadecimal", cart(qty="0x1"), "items[0].qty"),
    ("qty a list", cart(qty=[1]), "items[0].qty"),
    ("no price", cart(unitPrice=...), "items[0].unitPrice"),
    ("price null", cart(unitPrice=None), "items[0].unitPrice"),
    ("price true", cart(unitPrice=True), "items[0].unitPrice"),
    ("price negative", cart(unitPrice=-0.01), "items[0].unitPrice"),
    ("price negative text", cart(unitPrice="-1"), "items[0].unitPrice"),
    ("price of three decimals", cart(unitPrice="1.005"), "items[0].unitPrice"),
    ("price NaN text", cart(unitPrice="NaN"), "items[0].unitPrice"),
    ("price signalling NaN", cart(unitPrice="sNaN"), "items[0].unitPrice"),
    ("price infinite text", cart(unitPrice="Infinity"), "items[0].unitPrice"),
    ("price huge", cart(unitPrice=100_000), "items[0].unitPrice"),
    ("price huge exponent", cart(unitPrice="1e999"), "items[0].unitPrice"),
    ("price huge exponent 2", cart(unitPrice="1e9999999999"), "items[0].unitPrice"),
    ("price tiny exponent", cart(unitPrice="1e-999"), "items[0].unitPrice"),
    ("price with underscore", cart(unitPrice="1_0"), "items[0].unitPrice"),
    ("price in Arabic digits", cart(unitPrice="\u0661"), "items[0].unitPrice"),
    ("price with a space", cart(unitPrice=" 1"), "items[0].unitPrice"),
    ("price a half-open string", cart(unitPrice='1"'), "items[0].unitPrice"),
    ("price empty", cart(unitPrice=""), "items[0].unitPrice"),
    ("price a list", cart(unitPrice=[1]), "items[0].unitPrice"),
    ("id a number", {**cart(), "id": 1}, "id"),
    ("id not a UUID", {**cart(), "id": "'; DROP TABLE carts; --"}, "id"),
    ("id with a line end", {**cart(), "id": "00000000-0000-4000-8000-000000000000\n"}, "id"),
]
