"""The release that each server reports."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from shop_traffic.config import Config, Server
from shop_traffic.releases import releases


class Named(BaseHTTPRequestHandler):
    """Responds with a release in its header, and unhealthy."""

    sent = "1a2b3c4d5e6f"

    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/ready" else 404)
        self.send_header("X-Release", self.sent)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("1a2b3c4d5e6f", "1a2b3c4d5e6f"),
        ("v1.5.0-rc.1", "v1.5.0-rc.1"),
        ("<script>", ""),
        ("", ""),
        ("x" * 500, ""),
    ],
)
def test_servers_are_asked_for_their_release(
    sent: str, read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Named, "sent", sent)
    with HTTPServer(("127.0.0.1", 0), Named) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        there = Server("blue-1", "blue", 1, "127.0.0.1", server.server_port)
        gone = Server("green-1", "green", 2, "127.0.0.1", 1)
        config = Config("shop", Path(), Path(), Path(), (there, gone))
        assert releases(config) == {"blue-1": read, "green-1": ""}
        server.shutdown()
