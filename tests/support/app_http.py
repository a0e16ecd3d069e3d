"""HTTP requests to a shop."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from tests.support.answer import Answer


def ask(
    url: str,
    body: object = None,
    method: str | None = None,
    timeout: float = 10,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send GET, or POST if there is a body: bytes unchanged, anything else as JSON."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        chosen = method or ("GET" if body is None else "POST")
        connection.request(chosen, path, content, dict(headers or {}))
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read())
    finally:
        connection.close()


def cart_ids(url: str) -> list[str]:
    """Return the ids of all carts, page by page."""
    found: list[str] = ask(f"{url}/carts").json()
    while page := ask(f"{url}/carts?after={found[-1]}").json():
        found += page
    return found
