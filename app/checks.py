"""A port for health checks, with separate threads in each worker.

Slow requests can occupy all threads that serve shoppers. A health check that waited for one of them
would remove a healthy instance from the proxy. An instance whose serving threads all hang is not
healthy either. So the worker also probes the serving port, and waits longer than any request takes.
"""

from __future__ import annotations

import http.client
import logging
import socketserver
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from app.settings import Settings

log = logging.getLogger("shop")
ROUTES = frozenset({"/ready", "/live", "/status"})
#: Longer than the slowest request, a clone of a repository.
HANGING_SECONDS = 20.0
PAUSE_SECONDS = 1.0
_CLIENT_SECONDS = 5.0
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Pulse:
    """Records whether the serving port has responded lately."""

    def __init__(self, host: str, port: int, *, hanging: float = HANGING_SECONDS) -> None:
        self._address = ("127.0.0.1" if host in ("0.0.0.0", "::") else host, port)  # noqa: S104
        self._hanging = hanging
        self._answered = time.monotonic()

    def beats(self) -> bool:
        return time.monotonic() - self._answered < self._hanging

    def run(self) -> None:
        while True:
            self._ask()
            time.sleep(PAUSE_SECONDS)

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(*self._address, timeout=self._hanging / 2)
        try:
            connection.request("GET", "/live")
            connection.getresponse().read()
            self._answered = time.monotonic()
        except (OSError, http.client.HTTPException):
            pass  # beats() reports a failure
        finally:
            connection.close()


class Checks:
    """A WSGI application: the health routes of the shop, and nothing else."""

    def __init__(self, shop: Wsgi, pulse: Pulse) -> None:
        self._shop = shop
        self._pulse = pulse

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ.get("PATH_INFO") not in ROUTES:
            return _text(start_response, "404 Not Found", "This port is for health checks.\n")
        if not self._pulse.beats():
            reason = "No request to the serving port was answered lately.\n"
            return _text(start_response, "503 Service Unavailable", reason)
        return self._shop(environ, start_response)


def _text(start_response: Callable[..., Any], status: str, text: str) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
    return [text.encode()]


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_port = True  # one socket for each worker

    def server_bind(self) -> None:
        """Bind without HTTPServer's look-up of the host's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    timeout = _CLIENT_SECONDS

    def log_message(self, *_: Any) -> None:
        """Log nothing: checks come several times a second."""


def listen(settings: Settings, shop: Wsgi) -> None:
    """Serve health checks on their own port, if there is one, until the process ends."""
    if not settings.health_port:
        return
    pulse = Pulse(settings.host, settings.port)
    server = _Server((settings.host, settings.health_port), _Handler)
    server.set_app(Checks(shop, pulse))
    for name, work in (("pulse", pulse.run), ("checks", server.serve_forever)):
        threading.Thread(target=work, name=name, daemon=True).start()
