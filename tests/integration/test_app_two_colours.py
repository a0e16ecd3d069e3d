"""Blue and green on one PostgreSQL, which is killed in the middle: each cart gives one order."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.app_http import Answer, ask
from tests.integration.app_servers import Shop, postgres

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
CLIENTS = 50
CARTS = 200


def insist(url: str, body: object, **headers: str) -> Answer:
    """As a client that tries again until it is answered; what it sends is safe to repeat."""
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = ask(url, body, timeout=10, headers=headers)
        except OSError:
            answer = None
        if answer and answer.status != 503:
            return answer
        assert time.monotonic() < deadline, "the shop did not get well"
        time.sleep(0.1)


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
        for thread in starting:  # together, on an empty database
            thread.start()
        for thread in starting:
            thread.join()
        try:
            carts = [
                insist(f"{chance.choice(colours).url}/cart", some_cart(chance)).json()
                for _ in range(CARTS)
            ]
            answers = check_out_from_all_sides(carts, colours, database)
        finally:
            for colour in colours:
                colour.stop()
        with psycopg.connect(database.url) as connection:
            rows = connection.execute(
                "SELECT id::text, cart_id::text, total FROM orders"
            ).fetchall()
            left = connection.execute("SELECT count(*) FROM carts").fetchone()
    assert left == (0,)
    assert len(rows) == CARTS
    kept = {cart: order for order, cart, _ in rows}
    for cart in carts:
        assert answers[cart["id"]] == {kept[cart["id"]]}, "what was acknowledged is what is kept"
    assert sum(int(total * 100) for _, _, total in rows) == sum(map(cents, carts))


def check_out_from_all_sides(
    carts: list[dict[str, Any]], colours: list[Shop], database: Any
) -> dict[str, set[str]]:
    """Each of 50 clients checks out every cart, by either colour; the database dies at a third."""
    answers: dict[str, set[str]] = defaultdict(set)
    done = threading.Semaphore(0)

    def client(number: int) -> None:
        chance = random.Random(number)  # noqa: S311
        for cart in chance.sample(carts, len(carts) // 4):
            url = f"{chance.choice(colours).url}/cart/checkout"
            key = {"Idempotency-Key": cart["id"]} if chance.random() < 0.5 else {}
            answer = insist(url, cart, **key)
            assert answer.status == 200, answer.body
            answers[cart["id"]].add(answer.text)
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
    return answers
