"""A relay between a canary and the AWS API that makes CloudWatch misbehave.

It changes only GetMetricData. Calls for publishing, locks and parameters pass unchanged, so a row
shows only the effect of missing metrics.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

TARGET = "GraniteServiceVersion20100801.GetMetricData"
JSON = "application/x-amz-json-1.0"
SLOW = 20.0
"""Seconds that a slow response takes, longer than any client waits."""
LOST = "latency"
"""The metric that the mode ``lost`` leaves out."""
Answer = tuple[int, list[tuple[str, str]], bytes]


def _named(body: bytes) -> set[str]:
    """Return the ids of a request's queries for the metric that can be lost."""
    queries = json.loads(body).get("MetricDataQueries", [])
    return {one["Id"] for one in queries if one["MetricStat"]["Metric"]["MetricName"] == LOST}


class Relay:
    """A context manager; ``mode`` sets the behaviour of CloudWatch."""

    def __init__(self, endpoint: str) -> None:
        self.mode = "well"
        self.asked = 0
        self._upstream = urlsplit(endpoint)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Answer | None:
        """Return the response for the client; None closes the connection."""
        if headers.get("X-Amz-Target") != TARGET or self.mode == "well":
            return self._forward(method, path, headers, body)
        self.asked += 1
        if self.mode == "away":
            return None
        if self.mode == "throttled":
            error = {"__type": "ThrottlingException", "message": "Rate exceeded"}
            return 400, [("Content-Type", JSON)], json.dumps(error).encode()
        if self.mode == "slow":
            time.sleep(SLOW)
        status, kept, content = self._forward(method, path, headers, body)
        return status, kept, self._thinned(content, _named(body))

    def _thinned(self, content: bytes, lost: set[str]) -> bytes:
        """Leave values out, with an indication (partial) or without (holes, lost)."""
        document = json.loads(content)
        for number, result in enumerate(document.get("MetricDataResults", [])):
            if self.mode == "partial":
                result["StatusCode"] = "PartialData"
            half = self.mode in ("partial", "holes") and number % 2
            if half or (self.mode == "lost" and result["Id"] in lost):
                result["Timestamps"], result["Values"] = [], []
        return json.dumps(document).encode()

    def _forward(self, method: str, path: str, headers: Any, body: bytes) -> Answer:
        connection = http.client.HTTPConnection(str(self._upstream.netloc), timeout=60)
        try:
            sent = {k: v for k, v in headers.items() if k.lower() not in ("host", "connection")}
            connection.request(method, path, body, {**sent, "Host": str(self._upstream.netloc)})
            found = connection.getresponse()
            content = found.read()
        finally:
            connection.close()
        dropped = ("content-length", "transfer-encoding", "connection")
        kept = [(k, v) for k, v in found.getheaders() if k.lower() not in dropped]
        if method == "HEAD":
            kept += [(k, v) for k, v in found.getheaders() if k.lower() == "content-length"]
        return found.status, kept, content

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def relayed(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size)
                try:
                    found = relay.answer(self.command, self.path, self.headers, body)
                except OSError:
                    found = None
                if found is None:
                    self.close_connection = True
                    return
                status, headers, content = found
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                if self.command != "HEAD":
                    self.send_header("Content-Length", str(len(content)))
                with suppress(ConnectionError):  # the client may have closed the connection
                    self.end_headers()
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = relayed  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
