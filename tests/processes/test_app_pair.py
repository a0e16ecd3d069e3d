"""Both colours behind the proxy, as a shopper uses them."""

from __future__ import annotations

import http.client
import json
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.support.app_bad_input import cart
from tests.support.app_examples import answer_as_documented
from tests.support.app_http import ask
from tests.support.app_pair import RELEASE, Pair, running_pair
from tests.support.app_servers import Shop, postgres
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(180)]
PAUSE = 0.05
"""Seconds between a shopper's requests."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with running_pair(tmp_path_factory.mktemp("pair")) as running:
        yield running


@pytest.mark.parametrize("live", ["blue", "green"])
def test_the_documented_examples_answer_as_documented(pair: Pair, live: str) -> None:
    pair.proxy.traffic.promote(live)
    pair.empty()
    answer_as_documented(pair.url)
    assert ask(f"{pair.url}/carts").headers["x-colour"] == live


def test_a_changed_product_is_stale_for_nobody(pair: Pair) -> None:
    """Write through the proxy, then read from both colours many times."""
    for price in range(1, 11):
        body = {"id": 7, "name": "Lamp", "price": price}
        assert ask(f"{pair.url}/data", body).status == 200
        urls = [pair.url, *(shop.url for shop in pair.shops.values())] * 4
        assert {ask(f"{url}/product/7").json()["price"] for url in urls} == {price}


def test_the_proxys_request_id_is_in_the_shops_log(pair: Pair) -> None:
    answer = ask(f"{pair.url}/products")
    given = answer.headers["x-request-id"]  # HAProxy sends header names in lower case
    log = pair.shops[answer.headers["x-colour"]].log.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == given]
    assert str(uuid.UUID(given)) == given
    assert (line["route"], line["status"], line["release"]) == ("/products", 200, RELEASE)


class Shopper(threading.Thread):
    """A shopper that keeps its connection and sends each cart with a key."""

    def __init__(self, port: int, user: str, stop: threading.Event) -> None:
        super().__init__()
        self.answers: Counter[str] = Counter()
        self._port, self._user, self._ended = port, user, stop

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        while not self._ended.wait(PAUSE):
            headers = {"X-User": self._user, "Idempotency-Key": uuid.uuid4().hex}
            try:
                connection.request("POST", "/cart", json.dumps(cart()), headers)
                answer = connection.getresponse()
                answer.read()
                self.answers[f"{answer.status} {answer.headers['X-Colour']}"] += 1
            except OSError as error:
                self.answers[repr(error)] += 1
                connection.close()
        connection.close()


@contextmanager
def shopping(pair: Pair) -> Iterator[list[Shopper]]:
    """Shoppers while blue is live and green has half of them."""
    pair.proxy.traffic.promote("blue")
    pair.proxy.traffic.set("green", 0.5, lease=60)
    stop = threading.Event()
    shoppers = [Shopper(pair.proxy.port, f"shopper-{number}", stop) for number in range(8)]
    for shopper in shoppers:
        shopper.start()
    try:
        yield shoppers
    finally:
        stop.set()
        for shopper in shoppers:
            shopper.join()
        pair.proxy.traffic.release()


def answered(shoppers: list[Shopper]) -> Counter[str]:
    return sum((shopper.answers for shopper in shoppers), Counter())


def test_a_reload_and_a_restart_of_both_colours_lose_no_request(pair: Pair) -> None:
    with shopping(pair) as shoppers:
        for shop, name in ((pair.shops["green"], "green-1"), (pair.shops["blue"], "blue-1")):
            reload(shop)
            assert shop.stop() == 0
            shop.start()
            pair.proxy.wait_until_up(name)
    assert set(answered(shoppers)) == {"200 blue", "200 green"}, answered(shoppers)
    assert min(answered(shoppers).values()) > 20, answered(shoppers)


def test_a_host_that_alone_has_lost_its_database_fails_no_request(pair: Pair) -> None:
    """The proxy's timeout is shorter, so it retries on another host; then this one is not ready."""
    usual = pair.shops["green"]
    with postgres() as lost:
        green = replace(usual, environment={**usual.environment, "SHOP_DATABASE_URL": lost.url})
        usual.stop()
        green.start()
        pair.proxy.wait_until_up("green-1")
        try:
            with shopping(pair) as shoppers:
                wait_for(lambda: answered(shoppers)["200 green"] > 20, "an answer from green")
                lost.kill()
                wait_for(lambda: not green.answers("/ready"), "a green that is not ready")
                time.sleep(2)
        finally:
            green.stop()
            usual.start()
    assert set(answered(shoppers)) == {"200 blue", "200 green"}, answered(shoppers)


def reload(shop: Shop) -> None:
    def stopped() -> int:
        return shop.log.read_text(encoding="utf-8").count("Stopped old worker")

    assert shop.process
    before = stopped()
    shop.process.send_signal(signal.SIGHUP)
    wait_for(lambda: stopped() == before + 2, "the reload")
