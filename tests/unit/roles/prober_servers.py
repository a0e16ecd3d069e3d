"""Servers for the prober: good ones, wrong ones, and endless ones."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.certificates import self_signed


class Shop(BaseHTTPRequestHandler):
    """/status/NNN responds NNN; /hop/N redirects N times and ends at /status/200."""

    def do_GET(self) -> None:
        _, kind, value = self.path.split("/")
        if kind == "hop":
            left = int(value)
            self.send_response(302)
            self.send_header("Location", f"/hop/{left - 1}" if left > 1 else "/status/200")
        else:
            self.send_response(int(value))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        """Log nothing."""


@contextmanager
def shop(context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve; yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        scheme = "https" if context else "http"
        yield f"{scheme}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def dripping(piece: bytes) -> Iterator[str]:
    """Accept, and send a piece every tenth of a second forever; an empty piece sends nothing."""
    server = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def drip(link: socket.socket) -> None:
        with link:
            while not ended.wait(0.1):
                try:
                    link.sendall(piece)
                except OSError:
                    return

    def accept() -> None:
        while not ended.is_set():
            try:
                link, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(link,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    finally:
        ended.set()
        server.close()


def certificate(directory: Path, days: float) -> tuple[ssl.SSLContext, Path]:
    """Return a TLS context with a self-signed certificate, and the certificate file."""
    private, signed = self_signed(days)
    trusted, whole = directory / "trusted.pem", directory / "server.pem"
    trusted.write_bytes(signed)
    whole.write_bytes(private + signed)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(whole)
    return context, trusted
