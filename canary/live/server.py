"""Serves the page of the newest canary on this machine's loopback address."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from canary.errors import CanaryError
from canary.live.files import Snapshot, newest, read
from canary.live.page import note, nothing_yet, page, unreadable
from canary.policy import load_policy

LOOPBACK = "127.0.0.1"
NAMES = ("127.0.0.1", "localhost", "[::1]")
"""A request for another name comes from another site's page, whose own name leads here."""
POLICY = "policy.yml"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


class LiveServer(ThreadingHTTPServer):
    """The server; its page is made once for each change."""

    daemon_threads = True

    def __init__(self, canaries: Path, name: str | None, port: int) -> None:
        super().__init__((LOOPBACK, port), Handler)
        self._canaries = canaries
        self._name = name
        self._made = ("", "")

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}/"

    def snapshot(self) -> Snapshot | None:
        """Return the canary as it is now, or None if there is none yet."""
        directory = self._canaries / self._name if self._name else newest(self._canaries)
        return read(directory) if directory is not None else None

    def page(self) -> str:
        """Return the newest page."""
        snapshot = self.snapshot()
        if snapshot is None:
            return nothing_yet(self._canaries.parent.name)
        if self._made[0] != snapshot.version:
            policy = load_policy(self._canaries / snapshot.name / POLICY)
            self._made = (snapshot.version, page(snapshot, policy))
        return self._made[1]

    def state(self) -> dict[str, str]:
        """Return the version of the newest page, and a note about it."""
        snapshot = self.snapshot()
        if snapshot is None:
            return {"version": "none", "note": ""}
        return {"version": snapshot.version, "note": note(snapshot, time.time())}


class Handler(BaseHTTPRequestHandler):
    """Answers ``/`` and ``/state``, only to programs on this machine."""

    server: LiveServer

    def do_GET(self) -> None:
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in NAMES:
            self._answer(HTTPStatus.FORBIDDEN, "text/plain", f"Open {self.server.address}\n")
            return
        try:
            self._route()
        except CanaryError as error:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            self._answer(status, "text/html", unreadable(str(error)))

    def _route(self) -> None:
        match self.path:
            case "/":
                self._answer(HTTPStatus.OK, "text/html", self.server.page())
            case "/state":
                self._answer(HTTPStatus.OK, "application/json", json.dumps(self.server.state()))
            case _:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", "There is only / here\n")

    def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Print nothing, because a browser asks twice a second."""


def serve(canaries: Path, name: str | None, port: int) -> LiveServer:
    """Return a server that listens; port 0 takes a free one.

    Raises:
        CanaryError: the port is taken.
    """
    try:
        return LiveServer(canaries, name, port)
    except OSError as error:
        raise CanaryError(
            f"Port {port} of {LOOPBACK} cannot be used ({error.strerror}). Name another one: "
            "--port 0 takes a free one"
        ) from error
