"""Another team's app: one file that knows nothing about canaries except its release's name."""

import base64
import hashlib
import http.server
import random
import socket
import sys
import time

ERRORS = 0.0


class WebSocket(http.server.BaseHTTPRequestHandler):
    def echo(self) -> None:
        """Complete the WebSocket handshake, then repeat every line."""
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "websocket")
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
        accepted = hashlib.sha1(key.encode(), usedforsecurity=False).digest()
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(accepted).decode())
        self.end_headers()
        while line := self.rfile.readline():
            self.wfile.write(line)
        self.close_connection = True


class Handler(WebSocket):
    """Responds 200, or 500 to a share of the requests, but never to the health check.

    /slow takes four seconds, and /socket repeats the lines of a WebSocket.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/socket":
            self.echo()
            return
        if self.path == "/slow":
            time.sleep(4)
        failed = self.path != "/ready" and random.random() < ERRORS  # noqa: S311
        self.send_response(500 if failed else 200)
        self.send_header("X-Release", sys.argv[1])
        self.send_header("X-Server", socket.gethostname())
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()  # noqa: S104
