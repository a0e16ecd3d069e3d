"""Catalogue, health, metrics, and the headers of every response."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.metrics.clients import group_of
from app.metrics.publisher import metrics_directory, published_until
from app.metrics.slots import read
from tests.support.app_bad_input import cart
from tests.support.app_client import Client, new_cart, settings


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(settings(tmp_path))


def test_every_answer_says_who_answered(client: Client) -> None:
    for answer in (client.get("/carts"), client.get("/nowhere"), client.post("/cart", b"")):
        headers = answer.headers
        assert (headers["X-Release"], headers["X-Colour"]) == ("abc123", "blue")
        assert headers["X-Instance"] == "i-1"
        assert headers["X-Request-Id"]


def test_an_instance_says_until_when_its_metrics_are_sent_if_it_sends_any(tmp_path: Path) -> None:
    own = settings(tmp_path)
    client = Client(own)
    assert "X-Metrics-Until" not in client.get("/ready").headers
    published_until(own).set(1_800_000_005)
    assert client.get("/ready").headers["X-Metrics-Until"] == "1800000005"
    assert "X-Metrics-Until" not in client.get("/carts").headers


def test_a_request_id_is_passed_on_unless_it_is_dangerous(client: Client) -> None:
    assert client.get("/carts", x_request_id="abc-1").headers["X-Request-Id"] == "abc-1"
    made = {client.get("/carts", x_request_id="a b\t").headers["X-Request-Id"] for _ in range(2)}
    assert len(made) == 2


def test_unknown_route_and_method_are_problems(client: Client) -> None:
    assert client.get("/nowhere").json()["status"] == 404
    answer = client.ask("DELETE", "/cart", None)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_head_is_get_without_the_body(client: Client) -> None:
    answer = client.ask("HEAD", "/carts", None)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == "2"


def test_requests_are_counted_by_the_client_that_the_proxy_names(tmp_path: Path) -> None:
    own = settings(tmp_path, faults="error=503@/cart", allow_faults="1")
    client = Client(own)
    for _ in range(3):
        client.post("/cart", cart(), x_forwarded_for="203.0.113.7")
    client.get("/products", x_forwarded_for="203.0.113.8")
    client.get("/list-commits", x_forwarded_for="203.0.113.9")
    client.get("/ready", x_forwarded_for="203.0.113.9")
    client.get("/metrics")  # counts all notes so far
    clients = read(metrics_directory(own)).clients
    pairs = dict(enumerate(zip(clients[::2], clients[1::2], strict=True)))
    assert {n: pair for n, pair in pairs.items() if pair[0]} == {
        group_of("203.0.113.7"): (3, 3),
        group_of("203.0.113.8"): (1, 0),
    }


def test_what_nobody_foresaw_is_a_problem_and_logged(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.services.carts.Carts.ids", lambda *_: 1 / 0)
    answer = client.get("/carts")
    assert (answer.status, answer.json()["status"]) == (500, 500)
    assert "division" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_product_is_stored_changed_and_answered(client: Client) -> None:
    # the documented product
    answer = client.post("/data", b'{"id":1,"name":"Samsung TV","price":140}')
    assert answer.json() == client.get("/product/1").json()
    assert answer.json() == {"id": 1, "name": "Samsung TV", "price": 140}
    client.post("/data", {"id": 1, "name": "Samsung TV", "price": "139.99"})
    assert client.get("/product/1").json()["price"] == 139.99
    assert [each["id"] for each in client.get("/products").json()] == [1]


@pytest.mark.parametrize("path", ["/product/0", "/product/x", "/product/99999999999"])
def test_bad_product_id_is_422(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status, answer.json()["field"]) == (422, "id")


def test_unknown_product_is_404(client: Client) -> None:
    assert client.get("/product/7").status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"id": 0, "name": "x", "price": 1}, "id"),
        ({"id": 1, "name": "", "price": 1}, "name"),
        ({"id": 1, "name": "a\0", "price": 1}, "name"),
        ({"id": 1, "name": "x", "price": -1}, "price"),
        ({"id": 1, "name": "x"}, "price"),
    ],
)
def test_bad_product_names_the_field(client: Client, body: object, field: str) -> None:
    answer = client.post("/data", body)
    assert (answer.status, answer.json()["field"]) == (422, field)


def test_lame_duck_is_alive_but_not_ready(client: Client, tmp_path: Path) -> None:
    lame_duck = settings(tmp_path).lame_duck_file
    asked = ("/status", "/ready", "/live")
    assert [client.get(path).status for path in asked] == [200, 200, 200]
    lame_duck.touch()
    assert [client.get(path).status for path in asked] == [503, 503, 200]
    lame_duck.unlink()
    assert client.get("/ready").status == 200


def test_without_a_store_nothing_is_healthy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    client = Client(settings(tmp_path, database_url=f"sqlite:///{tmp_path}/file/shop.db"))
    assert client.get("/status").status == 503
    answer = client.post("/cart", cart())
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert client.get("/live").status == 200


def test_metrics_count_by_route_method_and_status(client: Client) -> None:
    new_cart(client)
    client.post("/cart", b"")
    text = client.get("/metrics").text
    for status in (200, 400):
        line = f'shop_requests_total{{method="POST",route="/cart",status="{status}"}} 1.0'
        assert line in text.splitlines()
    assert "shop_carts 1.0" in text.splitlines()
    assert "shop_cartsvalue 500.0" in text.splitlines()


def test_the_page_names_what_it_loads(client: Client) -> None:
    page = client.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    for path in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
        assert client.get(path).status == 200
