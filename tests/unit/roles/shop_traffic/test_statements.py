"""The statements of each server about itself: its release, its clock, its metrics."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from shop_traffic.config import Config, Server
from shop_traffic.statements import ahead, statements


class Named(BaseHTTPRequestHandler):
    """Responds with a release in its header, and unhealthy."""

    sent = "1a2b3c4d5e6f"
    late = 0.0
    until = ""

    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/ready" else 404)
        self.send_header("X-Release", self.sent)
        self.send_header("X-Metrics-Until", self.until)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002
        return formatdate(time.time() + self.late, usegmt=True)

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
    assert stated()["releases"] == {"blue-1": read, "green-1": ""}


@pytest.mark.parametrize("late", [0.0, 120.0, -120.0])
def test_servers_are_asked_for_their_clock(late: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Named, "late", late)
    (found,) = stated()["clocks"].items()
    assert found[0] == "blue-1"
    assert abs(int(found[1]) - late) <= 30  # the machine may be busy


@pytest.mark.parametrize(
    ("until", "read"), [("1800000005", {"blue-1": 1800000005}), ("-5", {}), ("now", {}), ("", {})]
)
def test_servers_are_asked_until_when_their_metrics_are_sent(
    until: str, read: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Named, "until", until)
    assert stated()["metrics_until"] == read


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 31 Feb 2026 16:49:29 GMT", "1"])
def test_what_is_no_date_is_no_clock(date: str) -> None:
    assert ahead(date) is None


def stated() -> dict[str, dict[str, str | int]]:
    """Return the statements of a running server and of a missing one."""
    with HTTPServer(("127.0.0.1", 0), Named) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        there = Server("blue-1", "blue", 1, "127.0.0.1", server.server_port)
        gone = Server("green-1", "green", 2, "127.0.0.1", 1)
        found = statements(Config("shop", Path(), Path(), Path(), (there, gone)))
        server.shutdown()
    return found
