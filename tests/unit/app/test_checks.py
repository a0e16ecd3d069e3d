"""An instance whose serving port does not answer is not healthy."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from typing import Any

from app.checks import Checks, Pulse
from tests.support.waiting import wait_for


def status(checks: Checks, path: str = "/ready") -> str:
    said: list[str] = []
    list(checks({"PATH_INFO": path}, lambda line, _headers: said.append(line)))
    return said[0]


def shop(_: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return []


def test_a_port_that_accepts_and_never_answers_makes_the_checks_fail() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as hanging:
        pulse = Pulse("127.0.0.1", hanging.getsockname()[1], hanging=0.5)
        checks = Checks(shop, pulse)
        assert status(checks) == "200 OK"
        threading.Thread(target=pulse.run, daemon=True).start()
        wait_for(lambda: status(checks).startswith("503"), "the checks fail", 10)


def test_a_port_that_answers_keeps_them_healthy() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            for _ in range(2):
                connection, _address = listener.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        pulse = Pulse("0.0.0.0", listener.getsockname()[1], hanging=0.5)  # noqa: S104 - every address
        threading.Thread(target=pulse.run, daemon=True).start()
        wait_for(lambda: not pulse.beats(), "it was long ago", 10)
        wait_for(pulse.beats, "the second answer", 10)


def test_only_health_routes_are_served() -> None:
    checks = Checks(shop, Pulse("127.0.0.1", 9))
    assert status(checks, "/cart") == "404 Not Found"
