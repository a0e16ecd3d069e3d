"""Another team's app: one file that knows nothing about canaries except its release's name."""

import http.server
import random
import sys

ERRORS = 0.0


class Handler(http.server.BaseHTTPRequestHandler):
    """Responds 200, or 500 to a share of the requests, but never to the health check."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        failed = self.path != "/ready" and random.random() < ERRORS  # noqa: S311
        self.send_response(500 if failed else 200)
        self.send_header("X-Release", sys.argv[1])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()  # noqa: S104
