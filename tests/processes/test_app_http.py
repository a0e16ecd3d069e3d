"""The shop as a service, on SQLite and on PostgreSQL with Redis."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.app_bad_input import INVALID, NOT_JSON, cart
from tests.support.app_examples import UUID, answer_as_documented
from tests.support.app_http import ask, cart_ids
from tests.support.app_servers import Shop, postgres, redis, shop
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(120)]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    directory = tmp_path_factory.mktemp("http")
    if request.param == "sqlite":
        with shop(directory) as server:
            yield server
        return
    with (
        postgres() as database,
        redis() as cache,
        shop(directory, SHOP_DATABASE_URL=database.url, SHOP_REDIS_URL=cache.url) as server,
    ):
        yield server


def test_the_documented_examples_answer_as_documented(running: Shop) -> None:
    answer_as_documented(running.url)


@pytest.mark.parametrize(("what", "body"), NOT_JSON, ids=[row[0] for row in NOT_JSON])
def test_what_is_not_json_is_400(running: Shop, what: str, body: bytes) -> None:
    answer = ask(f"{running.url}/cart", body, method="POST")
    assert (answer.status, answer.json()["field"]) == (400, "body"), what


def test_invalid_carts_name_the_field_and_store_nothing(running: Shop) -> None:
    before = ask(f"{running.url}/carts").json()
    for what, body, field in INVALID:
        answer = ask(f"{running.url}/cart", json.dumps(body).encode())
        assert (answer.status, answer.json()["field"]) == (422, field), what
    assert sorted(ask(f"{running.url}/carts").json()) == sorted(before)


def test_a_chunked_body_is_read_and_limited(running: Shop) -> None:
    def chunked(content: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", running.port), 5) as connection:
            head = b"POST /cart HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n"
            head += b"Connection: close\r\n\r\n"
            connection.sendall(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content))
            return connection.makefile("rb").readline()

    assert b" 200 " in chunked(json.dumps(cart()).encode())
    assert b" 413 " in chunked(b" " * 70_000)


def test_fifty_checkouts_of_one_cart_give_one_order(running: Shop) -> None:
    made = ask(f"{running.url}/cart", cart()).json()
    orders: list[str] = []
    barrier = threading.Barrier(50)

    def check_out() -> None:
        barrier.wait()
        orders.append(ask(f"{running.url}/cart/checkout", made, timeout=30).text)

    threads = [threading.Thread(target=check_out) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(orders) == 50
    assert len(set(orders)) == 1
    assert re.fullmatch(UUID, orders[0])


def test_a_changed_product_is_never_stale(running: Shop) -> None:
    for price in range(1, 40):
        body = {"id": 9, "name": "Lamp", "price": price}
        assert ask(f"{running.url}/data", body).status == 200
        shown = {ask(f"{running.url}/product/9").json()["price"] for _ in range(4)}
        assert shown == {price}, "by whichever worker it was asked"


def test_metrics_are_the_sum_over_the_workers(running: Shop) -> None:
    def counted() -> float:
        text = ask(f"{running.url}/metrics").text
        line = r'shop_requests_total{method="GET",route="/products",status="200"} (\S+)'
        found = re.search(line, text)
        return float(found[1]) if found else 0

    before = counted()
    for _ in range(40):
        ask(f"{running.url}/products")
    wait_for(lambda: counted() == before + 40, "all of them counted")


@pytest.mark.parametrize("drain", ["0", "8"])
def test_a_stop_answers_what_is_under_way(tmp_path: Path, drain: str) -> None:
    slow = {"SHOP_FAULTS": "latency=4s@/carts", "SHOP_ALLOW_FAULTS": "1"}
    with shop(tmp_path, SHOP_DRAIN_SECONDS=drain, **slow) as server:
        answers: list[int] = []
        threads = [
            threading.Thread(target=lambda: answers.append(ask(f"{server.url}/carts").status))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        time.sleep(1)
        assert server.process
        server.process.send_signal(signal.SIGTERM)
        if drain != "0":
            wait_for(lambda: ask(f"{server.url}/ready").status == 503, "it is not ready", 6)
            assert ask(f"{server.url}/live").status == 200
        for thread in threads:
            thread.join()
        assert answers == [200] * 6
        assert server.process.wait(20) == 0


def test_a_reload_loses_no_request(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        assert server.process
        stop = threading.Event()
        answers: list[int] = []
        unread: list[ConnectionError] = []

        def shopper() -> None:
            while not stop.is_set():
                try:
                    answers.append(ask(f"{server.url}/cart", cart()).status)
                except ConnectionError as error:  # closed unread, so the proxy would retry
                    unread.append(error)

        threads = [threading.Thread(target=shopper) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: server.log.read_text().count("Stopped old worker") == 2, "the reload")
        stop.set()
        for thread in threads:
            thread.join()
        assert set(answers) == {200}
        assert len(answers) > 20
        # a worker that ends may have accepted a connection without a request
        assert len(unread) <= len(threads)
        assert len(cart_ids(server.url)) == len(answers)


def test_a_second_shop_on_the_port_is_refused(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        done = subprocess.run(
            [sys.executable, "-m", "app"],
            cwd=ROOT,
            env={"SHOP_PORT": str(server.port), "SHOP_STATE_DIRECTORY": str(tmp_path / "other")},
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert done.returncode == 2
    assert (
        f"127.0.0.1:{server.port}, which is not available (Address already in use)" in done.stderr
    )


def test_gunicorn_is_a_fallback(tmp_path: Path) -> None:
    port = free_port()
    command = ["-m", "gunicorn", "-b", f"127.0.0.1:{port}", "--threads", "4", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, *command, "app.wsgi:create_app()"],
        cwd=ROOT,
        env={"SHOP_STATE_DIRECTORY": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        server = Shop(tmp_path, {}, port=port)
        wait_for(server.answers, "the shop")
        made = ask(f"{server.url}/cart", cart()).json()
        orders = {ask(f"{server.url}/cart/checkout", made).text for _ in range(8)}
        assert len(orders) == 1
        counted = 'route="/cart/checkout",status="200"} 8.0'
        wait_for(lambda: counted in ask(f"{server.url}/metrics").text, "all of them counted")
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_logs_are_json_with_the_request_id(tmp_path: Path) -> None:
    with shop(tmp_path, SHOP_RELEASE="abc", SHOP_COLOUR="green") as server:
        ask(f"{server.url}/carts", headers={"X-Request-Id": "from-the-proxy-1"})
        ask(f"{server.url}/status")
    lines = [json.loads(line) for line in server.log.read_text(encoding="utf-8").splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == "from-the-proxy-1"]
    assert (line["route"], line["status"], line["release"]) == ("/carts", 200, "abc")
    assert not any(line.get("route") == "/status" for line in lines)


def test_redis_away_is_slower_and_seen_but_answered(tmp_path: Path) -> None:
    with (
        postgres() as database,
        redis() as cache,
        shop(tmp_path, SHOP_DATABASE_URL=database.url, SHOP_REDIS_URL=cache.url) as server,
    ):
        product = {"id": 1, "name": "Samsung TV", "price": 140.0}
        ask(f"{server.url}/data", product)
        assert ask(f"{server.url}/product/1").json() == product
        assert "shop_cache_errors_total 0.0" in ask(f"{server.url}/metrics").text
        cache.stop()
        assert ask(f"{server.url}/product/1").json() == product
        changed = {**product, "price": 139.0}
        assert ask(f"{server.url}/data", changed).status == 200
        assert {ask(f"{server.url}/product/1").json()["price"] for _ in range(8)} == {139.0}
        assert ask(f"{server.url}/ready").status == 200
        text = ask(f"{server.url}/metrics").text
        errors = re.search(r"^shop_cache_errors_total (\S+)", text, re.MULTILINE)
        assert errors
        assert float(errors[1]) > 0


def test_it_serves_without_a_store_and_gets_well_by_itself(tmp_path: Path) -> None:
    with postgres() as database:
        database.stop()
        with shop(tmp_path, wait="/live", SHOP_DATABASE_URL=database.url) as server:
            assert ask(f"{server.url}/status").status == 503
            assert ask(f"{server.url}/cart", cart()).status == 503
            database.start()  # the housekeeper migrates the store in its next period
            wait_for(lambda: ask(f"{server.url}/cart", cart()).status == 200, "it takes carts")
            assert ask(f"{server.url}/status").status == 200
