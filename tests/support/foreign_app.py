"""Another team's app behind the role's proxy: slow answers, uploads and WebSockets."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.proxy_process import Proxy, made
from tests.support.small_app import WebSocket


class ForeignApp(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, name: str, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.name = name
        self.asked: list[str] = []
        """The requests whose start reached this server, without health checks."""
        self.checked: set[str] = set()
        """The Host headers of the health checks."""

    def handle_error(self, *_: Any) -> None:
        """Print nothing: clients may close their connections."""


class Handler(WebSocket, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ForeignApp

    def log_message(self, *_: Any) -> None: ...

    def answer(self, **content: Any) -> None:
        body = json.dumps({"server": self.server.name, **content}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        path, _, value = self.path.partition("?")
        if path == "/health":
            self.server.checked.add(self.headers["Host"])
            self.answer()
            return
        self.server.asked.append(self.requestline)
        if path == "/slow":
            time.sleep(float(value))
        if path == "/socket":
            self.echo()
            return
        headers = {name: self.headers.get_all(name) for name in ("X-Forwarded-For", "Via")}
        self.answer(headers=headers, proto=self.headers["X-Forwarded-Proto"])

    def do_POST(self) -> None:
        self.server.asked.append(self.requestline)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(size=len(body))


@contextmanager
def foreign_proxy(
    directory: Path, **settings: Any
) -> Iterator[tuple[Proxy, dict[str, ForeignApp]]]:
    """Run a foreign app behind a proxy with the role's defaults and ``settings``."""
    own = {"proxy_check": {"path": "/health"}}
    plain: dict[str, Any] = {f"proxy_{name}": {} for name in ("timeouts", "retries", "clients")}
    defaults = {**plain, "proxy_sticky": ["address"], "proxy_routes": []}
    with ExitStack() as stack:
        proxy = made(directory, 2, stack, **{**defaults, **own, **settings})
        apps = {}
        for server in proxy.servers:
            app = ForeignApp(server["name"], server["port"])
            apps[server["name"]] = app
            threading.Thread(target=app.serve_forever, args=(0.05,), daemon=True).start()
            stack.callback(app.server_close)
            stack.callback(app.shutdown)
        proxy.start()
        proxy.wait_until_up(*apps)
        yield proxy, apps
