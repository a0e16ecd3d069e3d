"""Blue and green on one PostgreSQL that is killed: each cart gives one order."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.answer import Answer
from tests.support.app_http import ask
from tests.support.app_servers import Shop, postgres
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(300)]
CLIENTS = 50
CARTS = 200


def insist(url: str, body: object, **headers: str) -> Answer:
    """Retry an idempotent request until there is a response."""

    def served() -> Answer | None:
        try:
            answer = ask(url, body, timeout=10, headers=headers)
        except OSError:
            return None
        return answer if answer.status != 503 else None

    answer = wait_for(served, "the shop is well again", 60, 0.1)
    assert answer
    return answer


def some_cart(chance: random.Random) -> dict[str, Any]:
    items = [
        {
            "description": f"item {number}",
            "qty": chance.randint(1, 9),
            "unitPrice": f"{chance.randint(0, 99_999) / 100:.2f}",
        }
        for number in range(chance.randint(1, 5))
    ]
    return {"items": items}


def cents(cart: dict[str, Any]) -> int:
    return sum(each["qty"] * round(each["unitPrice"] * 100) for each in cart["items"])


def test_each_cart_gives_one_order_and_sums_agree(tmp_path: Path) -> None:
    chance = random.Random(20261120)  # noqa: S311
    with postgres() as database:
        colours = [Shop(tmp_path, {"SHOP_DATABASE_URL": database.url}) for _ in range(2)]
        starting = [threading.Thread(target=colour.start) for colour in colours]
        for thread in starting:  # both at once, on an empty database
            thread.start()
        for thread in starting:
            thread.join()
        try:
            carts = [
                insist(f"{chance.choice(colours).url}/cart", some_cart(chance)).json()
                for _ in range(CARTS)
            ]
            answers, filled = check_out_from_all_sides(carts, colours, database)
            served = [orders_given(colour) for colour in colours]
        finally:
            for colour in colours:
                colour.stop()
        with psycopg.connect(database.url) as connection:
            rows = connection.execute(
                "SELECT id::text, cart_id::text, total FROM orders"
            ).fetchall()
            left = connection.execute("SELECT id::text, total FROM carts").fetchall()
    there = {cart: int(total * 100) for cart, total in left}
    assert len(filled) > CLIENTS
    assert filled.items() <= there.items(), "a new cart that was acknowledged is kept as well"
    assert min(served) > CLIENTS, "by both colours"
    assert len(rows) == CARTS
    kept = {cart: order for order, cart, _ in rows}
    for cart in carts:
        assert answers[cart["id"]] == {kept[cart["id"]]}, "what was acknowledged is what is kept"
    assert sum(int(total * 100) for _, _, total in rows) == sum(map(cents, carts))


def orders_given(colour: Shop) -> float:
    text = ask(f"{colour.url}/metrics").text
    found = re.search(r'shop_requests_total\{.*"/cart/checkout",status="200"\} (\S+)', text)
    return float(found[1]) if found else 0


def check_out_from_all_sides(
    carts: list[dict[str, Any]], colours: list[Shop], database: Any
) -> tuple[dict[str, set[str]], dict[str, int]]:
    """50 clients each check out a quarter of the carts, so each cart has a dozen clients.

    They use both colours; the database is killed after a third. Each client also fills new carts.
    Returns the orders of each cart and the total of each new cart.
    """
    answers: dict[str, set[str]] = defaultdict(set)
    filled: dict[str, int] = {}
    done = threading.Semaphore(0)

    def client(number: int) -> None:
        chance = random.Random(number)  # noqa: S311
        for place, cart in enumerate(chance.sample(carts, len(carts) // 4)):
            colour = chance.choice(colours)
            key = {"Idempotency-Key": cart["id"]} if chance.random() < 0.5 else {}
            answer = insist(f"{colour.url}/cart/checkout", cart, **key)
            assert answer.status == 200, answer.body
            answers[cart["id"]].add(answer.text)
            if place % 10 == 0:
                new = fill_once(f"{colour.url}/cart", some_cart(chance))
                filled.update({new["id"]: cents(new)} if new else {})
            done.release()

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(client, number) for number in range(CLIENTS)]
        for _ in range(CLIENTS * (len(carts) // 4) // 3):
            done.acquire(timeout=60)
        database.kill()
        time.sleep(1)
        database.start()
        for each in clients:
            each.result()
    return answers, filled


def fill_once(url: str, cart: dict[str, Any]) -> dict[str, Any] | None:
    """Return the new cart if it was acknowledged, without a retry, which would create another."""
    try:
        answer = ask(url, cart, timeout=30)
    except OSError:
        return None
    made: dict[str, Any] | None = answer.json() if answer.status == 200 else None
    return made
