"""The proxy role in a real HAProxy: the requests and clients that each route accepts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.foreign_app import foreign_proxy
from tests.support.foreign_client import Foreign, ask, seen
from tests.support.proxy_process import Proxy, running_proxy, shop_settings


def test_a_route_may_have_its_own_timeout(tmp_path: Path) -> None:
    settings = {
        "proxy_timeouts": {"server": "1s"},
        "proxy_routes": [{"path": "/slow", "timeout": "5s"}, {"path": "/", "timeout": "500ms"}],
    }
    with foreign_proxy(tmp_path, **settings) as (proxy, apps):
        assert ask(proxy.port, "/slow?2")[0] == 200
        assert ask(proxy.port, "/slower")[0] == 200
        before = len(seen(apps))
        assert ask(proxy.port, "/SLOW?2")[0] == 200
        assert len(seen(apps)) == before + 1


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    routes = [{"path": "/upload"}, {"path": "/", "body": 40_000}]
    settings = {"proxy_routes": routes, "proxy_timeouts": {"request": "2s"}}
    with foreign_proxy(tmp_path_factory.mktemp("limited"), **settings) as running:
        yield running


@pytest.mark.parametrize(("size", "status"), [(40_000, 200), (40_001, 413), (9_000_000, 413)])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_larger_body_is_refused(limited: Foreign, size: int, status: int, framing: str) -> None:
    proxy, apps = limited
    before = len(seen(apps))
    text = request("/cart", size, framing).encode()
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as connection:
        connection.sendall(text[:200_000])  # nothing after the refusal is read
        assert int(connection.makefile("rb").readline().split()[1]) == status
    assert len(seen(apps)) == before + (status == 200)


def request(path: str, size: int, framing: str, sent: int | None = None) -> str:
    """Return a request that announces a body of ``size`` bytes and contains ``sent`` of them."""
    body = "x" * (size if sent is None else sent)
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\n"
    if framing == "length":
        return f"{head}Content-Length: {size}\r\n\r\n{body}"
    last = "" if sent is not None else "\r\n0\r\n\r\n"
    return f"{head}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n{body}{last}"


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("sent", [0, 1, 17_000, 39_000])
def test_a_stalled_body_occupies_no_server(limited: Foreign, sent: int, framing: str) -> None:
    proxy, apps = limited
    before = len(seen(apps))
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as connection:
        connection.sendall(request("/cart", 40_000, framing, sent).encode())
        assert connection.makefile("rb").readline().split()[1] == b"408"
    assert len(seen(apps)) == before


def test_large_headers_do_not_push_a_body_past_the_buffer(limited: Foreign) -> None:
    proxy, apps = limited
    before = len(seen(apps))
    assert ask(proxy.port, "/cart", body=b"x" * 40_000, X_A="a" * 7_000)[0] == 200
    assert ask(proxy.port, "/cart", body=b"x" * 40_000, X_A="a" * 9_000)[0] == 431
    assert len(seen(apps)) == before + 1


def test_a_body_in_tiny_chunks_is_whole_or_refused(limited: Foreign) -> None:
    proxy, apps = limited
    before = len(seen(apps))
    head = "POST /cart HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as connection:
        connection.sendall((head + "1\r\nx\r\n" * 39_000).encode())
        assert connection.makefile("rb").readline().split()[1] in (b"408", b"413")
    assert len(seen(apps)) == before


OPERATORS = "127.0.9.9/32"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    settings = shop_settings(OPERATORS)
    with running_proxy(tmp_path_factory.mktemp("shop"), **settings) as proxy:
        yield proxy


@pytest.mark.parametrize("path", ["/carts", "/data", "/CARTS", "/%63arts", "/data/", "/carts?a=b"])
def test_operators_alone_list_carts_and_store_products(shop: Proxy, path: str) -> None:
    assert ask(shop.port, path)[0] == 404
    assert ask(shop.port, path, source="127.0.9.9")[0] == 200


def test_shoppers_use_their_carts(shop: Proxy) -> None:
    assert ask(shop.port, "/cart")[0] == 200
    assert ask(shop.port, "/cart/checkout")[0] == 200
    assert ask(shop.port, "/metrics", source="127.0.9.9")[0] == 404
