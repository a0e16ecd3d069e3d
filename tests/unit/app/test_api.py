"""The cart API on SQLite, with the WSGI protocol checked."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from app.store import open_store
from tests.support.app_bad_input import INVALID, ITEM, NOT_JSON, cart
from tests.support.app_client import Client, new_cart, settings

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(settings(tmp_path))


def orders(path: Path) -> list[tuple[Any, ...]]:
    store: Any = open_store(settings(path))
    with store._connection() as connection:
        found: list[tuple[Any, ...]] = connection.execute(
            "SELECT id, cart_id, total FROM orders"
        ).fetchall()
    store.close()
    return found


def test_post_cart_answers_as_the_issue_says(client: Client) -> None:
    body = b'{"items":[{"description":"Ugly christmas sweater","qty":"1","unitPrice":"500"}]}'
    answer = client.post("/cart", body)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    # the documented response, except for the UUID
    made = uuid.UUID(answer.json()["id"])
    assert answer.text == (
        f'{{"id":"{made}","items":'
        '[{"description":"Ugly christmas sweater","qty":1,"unitPrice":500.0}]}'
    )


def test_post_cart_with_id_replaces_the_items(client: Client) -> None:
    first = new_cart(client)
    second = client.post("/cart", {"id": first["id"], "items": [{**ITEM, "qty": 3}]})
    assert second.json() == {"id": first["id"], "items": [{**first["items"][0], "qty": 3}]}
    assert client.get("/carts").json() == [first["id"]]


def test_checkout_answers_a_bare_uuid_and_ends_the_cart(client: Client, tmp_path: Path) -> None:
    made = new_cart(client, qty=3, unitPrice="19.99")
    answer = client.post("/cart/checkout", made)
    assert re.fullmatch("[0-9a-f-]{36}", answer.text)
    assert client.get("/carts").json() == []
    assert orders(tmp_path) == [(answer.text, made["id"], 3 * 1999)]


def test_checkout_again_gives_the_same_order(client: Client, tmp_path: Path) -> None:
    made = new_cart(client)
    answers = {client.post("/cart/checkout", made).text for _ in range(3)}
    answers |= {client.post("/cart/checkout", made, idempotency_key="k").text for _ in range(3)}
    assert len(answers) == 1
    assert len(orders(tmp_path)) == 1


def test_same_key_gives_the_same_order_once(client: Client, tmp_path: Path) -> None:
    made = new_cart(client)
    answers = {client.post("/cart/checkout", made, idempotency_key="k-1").text for _ in range(3)}
    assert len(answers) == len(orders(tmp_path)) == 1


def test_a_key_blocks_nobody_elses_checkout(client: Client) -> None:
    """The web page uses a cart's id as its key, and an id may become known."""
    victim, own = new_cart(client), new_cart(client)
    client.post("/cart/checkout", own, idempotency_key=victim["id"])
    answer = client.post("/cart/checkout", victim, idempotency_key=victim["id"])
    assert answer.status == 200
    assert client.get("/carts").json() == []


def test_carts_are_listed_in_pages(client: Client) -> None:
    carts = sorted(new_cart(client)["id"] for _ in range(5))
    pages, path = [], "/carts?limit=2"
    while path:
        answer = client.get(path)
        pages.append(answer.json())
        path = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
    assert pages == [carts[:2], carts[2:4], carts[4:]]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after=1", "after="])
def test_a_page_that_cannot_be_is_422(client: Client, query: str) -> None:
    answer = client.get(f"/carts?{query}")
    assert (answer.status, answer.json()["field"]) == (422, query.partition("=")[0])


def test_checkout_by_id_alone_orders_what_is_in_the_cart(client: Client, tmp_path: Path) -> None:
    made = new_cart(client, qty=2, unitPrice="0.05")
    client.post("/cart/checkout", {"id": made["id"]})
    assert orders(tmp_path)[0][2] == 10


def test_checkout_orders_the_items_that_it_is_given(client: Client, tmp_path: Path) -> None:
    made = new_cart(client, qty=1, unitPrice="500")
    client.post("/cart/checkout", {"id": made["id"], "items": [{**ITEM, "unitPrice": "0.1"}]})
    assert orders(tmp_path)[0][2] == 10


@pytest.mark.parametrize("path", ["/cart", "/cart/checkout"])
def test_unknown_cart_is_404(client: Client, path: str) -> None:
    answer = client.post(path, {"id": UNKNOWN, **cart()})
    assert (answer.status, answer.json()["field"]) == (404, "id")


def test_a_checked_out_cart_cannot_be_changed(client: Client) -> None:
    made = new_cart(client)
    client.post("/cart/checkout", made)
    answer = client.post("/cart", made)
    assert (answer.status, answer.json()["field"]) == (409, "id")


def test_an_empty_cart_cannot_be_checked_out(client: Client) -> None:
    made = client.post("/cart", {"items": []}).json()
    for body, status in ((made, 422), ({"id": made["id"]}, 409)):
        answer = client.post("/cart/checkout", body)
        assert (answer.status, answer.json()["field"]) == (status, "items")
    assert client.get("/carts").json() == [made["id"]]


@pytest.mark.parametrize("path", ["/cart", "/cart/checkout"])
@pytest.mark.parametrize(("what", "body"), NOT_JSON, ids=[row[0] for row in NOT_JSON])
def test_what_is_not_json_is_400(client: Client, path: str, what: str, body: bytes) -> None:
    answer = client.post(path, body)
    assert (answer.status, answer.json()["field"]) == (400, "body"), what


@pytest.mark.parametrize(("what", "body", "field"), INVALID, ids=[row[0] for row in INVALID])
def test_invalid_carts_name_the_field(client: Client, what: str, body: object, field: str) -> None:
    answer = client.post("/cart", body)
    assert (answer.status, answer.json()["field"]) == (422, field), what
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert client.get("/carts").json() == [], "nothing may be stored"


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "\xe9"])
def test_bad_idempotency_key_is_422(client: Client, key: str) -> None:
    answer = client.post("/cart/checkout", new_cart(client), idempotency_key=key)
    assert (answer.status, answer.json()["field"]) == (422, "Idempotency-Key")


def test_checkout_needs_the_id(client: Client) -> None:
    answer = client.post("/cart/checkout", cart())
    assert (answer.status, answer.json()["field"]) == (422, "id")


def test_a_body_over_the_limit_is_413(tmp_path: Path) -> None:
    client = Client(settings(tmp_path, body_limit=1_024))
    answer = client.post("/cart", b" " * 1_025)
    assert (answer.status, answer.json()["field"]) == (413, "body")
    assert client.post("/cart", json.dumps(cart()).encode().ljust(1_024)).status == 200


@pytest.mark.parametrize(
    ("sent", "shown"),  # a JSON number with at least one decimal, such as 500.0
    [("500", "500.0"), ("19.99", "19.99"), ("19.90", "19.9"), ("0", "0.0"), ("0.05", "0.05")],
)
def test_money_is_shown_as_a_number(client: Client, sent: str, shown: str) -> None:
    for price in (f'"{sent}"', sent):
        body = f'{{"items":[{{"description":"x","qty":1,"unitPrice":{price}}}]}}'
        assert f'"unitPrice":{shown}}}' in client.post("/cart", body.encode()).text


def test_sums_are_exact(client: Client, tmp_path: Path) -> None:
    # 0.1 + 0.2 and 3 x 19.99 are inexact as binary floats
    items = [{**ITEM, "unitPrice": "0.1"}, {**ITEM, "unitPrice": 0.2}]
    items.append({**ITEM, "qty": 3, "unitPrice": 19.99})
    made = client.post("/cart", {"items": items}).json()
    client.post("/cart/checkout", {"id": made["id"]})
    assert orders(tmp_path)[0][2] == 10 + 20 + 5997


def test_the_fullest_cart_fits_the_database(client: Client, tmp_path: Path) -> None:
    # NUMERIC(12,2) holds 9,999,999,999.99; 100 x 1,000 x 99,999.99 is 9,999,999,000.
    item = {**ITEM, "qty": 1_000, "unitPrice": "99999.99"}
    made = client.post("/cart", {"items": [item] * 100}).json()
    client.post("/cart/checkout", {"id": made["id"]})
    assert orders(tmp_path)[0][2] == 999_999_900_000
