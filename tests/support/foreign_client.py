"""Requests to another team's app behind the proxy, from any address of this machine."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from tests.support.foreign_app import ForeignApp
from tests.support.proxy_process import Proxy

Foreign = tuple[Proxy, dict[str, ForeignApp]]
#: Addresses of this machine that no setting of a test names.
STRANGER, OTHER = "127.0.9.1", "127.0.9.2"


def ask(
    port: int, path: str = "/", source: str = STRANGER, body: Any = None, **headers: str
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Return the status, the body (parsed if it is JSON), and the headers."""
    method = "GET" if body is None else "POST"
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(
        http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))
    ) as connection:
        connection.request(method, path, body, own, encode_chunked=not isinstance(body, bytes))
        answer = connection.getresponse()
        text = answer.read().decode()
        found = json.loads(text) if text.startswith("{") else {}
        return answer.status, found, {n.lower(): v for n, v in answer.getheaders()}


@contextmanager
def opened(port: int, number: int, text: str, source: str = STRANGER) -> Iterator[None]:
    """Hold connections open that have sent ``text`` and nothing more."""
    with ExitStack() as stack:
        for _ in range(number):
            connection = socket.create_connection(("127.0.0.1", port), 5, (source, 0))
            stack.enter_context(closing(connection)).sendall(text.encode())
        yield


def seen(apps: dict[str, ForeignApp]) -> list[str]:
    return [line for app in apps.values() for line in app.asked]
