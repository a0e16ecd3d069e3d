"""The upper limit: the bare server with a response of ten bytes."""

from __future__ import annotations

from typing import Any


def app(_: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "10")])
    return [b"helloworld"]
