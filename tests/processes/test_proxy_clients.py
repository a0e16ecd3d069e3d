"""The proxy role in a real HAProxy: another team's app, the client's address, its limits."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.foreign_app import ForeignApp, foreign_proxy
from tests.support.foreign_client import OTHER, STRANGER, Foreign, ask, opened, seen
from tests.support.ports import free_port
from tests.support.waiting import wait_for

# ---- another team's app: documented settings


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """Run the defaults, with short timeouts where a test would otherwise take minutes."""
    short = {"client": "1s", "idle": "1s", "request": "1s"}
    with foreign_proxy(tmp_path_factory.mktemp("foreign"), proxy_timeouts=short) as running:
        yield running


def test_a_slow_request_gets_its_answer_once(foreign: Foreign) -> None:
    """It takes longer than the client's timeout, and no other server gets the request."""
    proxy, apps = foreign
    before = len(seen(apps))
    began = time.monotonic()
    assert ask(proxy.port, "/slow?4")[0] == 200
    assert time.monotonic() - began >= 4
    assert len(seen(apps)) == before + 1


def test_a_websocket_may_be_idle(foreign: Foreign) -> None:
    """It is idle for longer than every timeout except that of tunnels."""
    with socket.create_connection(("127.0.0.1", foreign[0].port), 10) as connection:
        connection.sendall(
            b"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        lines = connection.makefile("rb")
        assert b" 101 " in lines.readline()
        while lines.readline().strip():
            pass
        time.sleep(3)
        connection.sendall(b"still here\n")
        assert lines.readline() == b"still here\n"


def test_an_upload_larger_than_any_buffer_works(foreign: Foreign) -> None:
    status, answer, _ = ask(foreign[0].port, "/upload", body=b"x" * 5_000_000)
    assert (status, answer["size"]) == (200, 5_000_000)


def test_nobody_can_claim_an_address(foreign: Foreign) -> None:
    _, answer, _ = ask(foreign[0].port, X_Forwarded_For="203.0.113.7", X_Forwarded_Proto="https")
    assert answer["headers"]["X-Forwarded-For"] == [STRANGER]
    assert answer["proto"] == "http"


def test_nothing_of_the_shop_is_in_somebody_elses_proxy(foreign: Foreign) -> None:
    proxy, _ = foreign
    assert ask(proxy.port, "/metrics")[0] == 200
    text = (proxy.directory / "haproxy.cfg").read_text().lower()
    assert [word for word in ("list-commits", "x-user", "host shop", "/cart") if word in text] == []


def test_checks_may_have_a_host_and_a_port_of_their_own(tmp_path: Path) -> None:
    health = ForeignApp("health", free_port())
    check = {"path": "/health", "host": "shop.example.org", "port": health.server_address[1]}
    with closing_server(health), foreign_proxy(tmp_path, proxy_check=check) as (proxy, apps):
        assert health.checked == {"shop.example.org"}
        assert all(app.checked == set() for app in apps.values())
        health.shutdown()
        health.server_close()
        proxy.wait_until_down("blue-1")


@contextmanager
def closing_server(app: ForeignApp) -> Iterator[None]:
    threading.Thread(target=app.serve_forever, args=(0.05,), daemon=True).start()
    with closing(app.socket):
        yield


# ---- the client's address


def chosen(port: int, count: int, **headers: str) -> set[str]:
    return {ask(port, **headers)[1]["server"] for _ in range(count)}


def test_a_cdn_in_front_names_the_client(tmp_path: Path) -> None:
    trusted = {"trusted": [f"{STRANGER}/32", "198.51.100.0/24"]}
    with foreign_proxy(tmp_path, proxy_clients=trusted) as (proxy, _):
        proxy.traffic.set("green", 0.5, lease=60)
        _, answer, _ = ask(proxy.port, X_Forwarded_For="6.6.6.6, 203.0.113.7, 198.51.100.9")
        assert answer["headers"]["X-Forwarded-For"] == ["203.0.113.7"]
        _, answer, _ = ask(proxy.port, X_Forwarded_For="nonsense", X_Forwarded_Proto="https")
        assert answer["headers"]["X-Forwarded-For"] == [STRANGER]
        assert answer["proto"] == "https"
        _, answer, _ = ask(proxy.port, source=OTHER, X_Forwarded_For="203.0.113.7")
        assert answer["headers"]["X-Forwarded-For"] == [OTHER]
        # Without cookies, each client of the CDN keeps the server that it got.
        clients = [f"203.0.113.{number}" for number in range(20)]
        assert len({s for c in clients for s in chosen(proxy.port, 1, X_Forwarded_For=c)}) > 1
        assert len(chosen(proxy.port, 5, X_Forwarded_For=clients[0])) == 1


@pytest.mark.parametrize(
    ("sticky", "headers", "servers"),
    [
        (["address"], {}, 1),
        (["header X-Tenant", "cookie id"], {"X_Tenant": "a", "Cookie": "id=1"}, 1),
        (["cookie id"], {"Cookie": "id=1"}, 1),
        (["cookie id"], {}, 2),  # without the cookie: at random
        ([], {"X_User": "a", "Cookie": "user=1"}, 2),
    ],
)
def test_users_are_told_apart_as_configured(
    tmp_path: Path, sticky: list[str], headers: dict[str, str], servers: int
) -> None:
    with foreign_proxy(tmp_path, proxy_sticky=sticky) as (proxy, _):
        found = chosen(proxy.port, 20, **headers)
        assert len(found) == servers
        assert found <= {"blue-1", "blue-2"}


# ---- limits of a client


def test_a_client_opens_only_so_many_connections(tmp_path: Path) -> None:
    limits = {"connections": 20, "exempt": ["127.0.9.9/32"]}
    patient = {"request": "1m"}  # after this time, HAProxy closes silent connections
    with foreign_proxy(tmp_path, proxy_clients=limits, proxy_timeouts=patient) as (proxy, _):
        # HAProxy counts connections when it accepts or closes them, a moment after the kernel, and
        # its threads may accept the last before the first.
        with opened(proxy.port, 20, ""):
            counted = proxy.traffic.runtime.ask
            wait_for(lambda: "conn_cur=20" in counted("show table connections"), "20 are counted")
            assert turned_away(proxy.port)
            assert ask(proxy.port, source=OTHER)[0] == 200
            with opened(proxy.port, 25, "", source="127.0.9.9"):
                assert ask(proxy.port, source="127.0.9.9")[0] == 200
        wait_for(lambda: not turned_away(proxy.port), "a connection after the others are closed")


def turned_away(port: int) -> bool:
    """Return whether the proxy closes a connection without a response, else require 200."""
    try:
        assert ask(port)[0] == 200
    except (ConnectionError, http.client.BadStatusLine):
        return True
    return False


def test_a_client_sends_only_so_many_requests(tmp_path: Path) -> None:
    limits = {"requests": 2, "exempt": ["127.0.9.9/32"]}
    with foreign_proxy(tmp_path, proxy_clients=limits) as (proxy, apps):
        assert [ask(proxy.port)[0] for _ in range(22)] == [200] * 20 + [429] * 2
        assert len(seen(apps)) == 20
        assert ask(proxy.port)[2]["retry-after"] == "10"
        assert ask(proxy.port, source=OTHER)[0] == 200
        assert {ask(proxy.port, source="127.0.9.9")[0] for _ in range(30)} == {200}


# ---- HTTP/2

SETTINGS, HEADERS, RESET = 4, 1, 3
#: GET / of host "a", in the compression of HTTP/2 (RFC 7541).
GET = b"\x82\x86\x84\x01\x01a"


def frame(kind: int, flags: int = 0, stream: int = 0, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content))[1:] + struct.pack(">BBI", kind, flags, stream) + content


def test_a_flood_of_cancelled_requests_reaches_no_server(tmp_path: Path) -> None:
    """Each stream is opened and reset at once, as in CVE-2023-44487."""
    with foreign_proxy(tmp_path, proxy_clients={"requests": 5}) as (proxy, apps):
        with socket.create_connection(("127.0.0.1", proxy.port), 10, (STRANGER, 0)) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS))
            told = connection.recv(1000)
            assert told[3] == SETTINGS
            assert struct.pack(">HI", 3, 32) in told  # most concurrent streams
            reset = struct.pack(">I", 8)
            flood = b"".join(
                frame(HEADERS, 5, stream, GET) + frame(RESET, 0, stream, reset)
                for stream in range(1, 10_001, 2)
            )
            with suppress(OSError):
                connection.sendall(flood)
            assert [ask(proxy.port, source=OTHER)[0] for _ in range(20)] == [200] * 20
        flooded = len(seen(apps)) - 20
        assert flooded <= 500
