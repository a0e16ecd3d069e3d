"""The newest results for Prometheus, at /metrics, only on this host."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prober.probe import Result

SERIES: tuple[tuple[str, str, Callable[[Result], float | None]], ...] = (
    ("probe_availability", "1: the URL responds as expected", lambda seen: float(seen.available)),
    ("probe_latency_seconds", "Time until the response", lambda seen: seen.latency),
    ("probe_certificate_days", "Days its certificate is valid", lambda seen: seen.certificate_days),
)


class Page:
    """Serves the last result of each URL."""

    def __init__(self, port: int) -> None:
        self._newest: dict[str, Result] = {}
        self._backup_age: float | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self.text))
        self.port = self._server.server_port

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="page", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, result: Result) -> None:
        self._newest = {**self._newest, result.name: result}

    def put_backup(self, age: float) -> None:
        self._backup_age = age

    def text(self) -> str:
        return "".join(_lines(self._newest)) + self._of_backup()

    def _of_backup(self) -> str:
        if self._backup_age is None:
            return ""
        words = "Time since the newest backup of the database"
        head = f"# HELP backup_age_seconds {words}\n# TYPE backup_age_seconds gauge\n"
        return f"{head}backup_age_seconds {self._backup_age:.0f}\n"


def _lines(newest: dict[str, Result]) -> Iterator[str]:
    for series, words, value_of in SERIES:
        yield f"# HELP {series} {words}\n# TYPE {series} gauge\n"
        for name, result in sorted(newest.items()):
            value = value_of(result)
            if value is not None:
                yield f'{series}{{url="{name}"}} {value:.6g}\n'


def _handler(text: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/metrics"
            body = text().encode() if known else b"Look at /metrics\n"
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
            """Log nothing: Prometheus sends a request every few seconds."""

    return Handler
