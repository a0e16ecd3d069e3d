"""A server that answers as the documented HTTP API of Prometheus, for tests of the source."""

from __future__ import annotations

import http.server
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from canary.environment import PrometheusSource, parse_environment
from canary.model import Arm, Release
from canary.sources.base import Query
from canary.sources.prometheus import Prometheus
from tests.unit.canary.test_environment import GOOD

LATENCY = 'histogram_quantile(0.9, sum by (le, instance) (rate(l{c="{colour}"}[{period}])))'
COUNT = 'sum by (instance) (increase(l_count{c="{colour}"}[{period}]))'
ARMS = {Arm.BASELINE: Release("v1", "a", "blue", ("one",))}
QUERY = Query("latency", "latency", "p90")


class Server(http.server.ThreadingHTTPServer):
    """Records its requests, and returns the responses that a test sets."""

    asked: list[dict[str, str]]
    headers: list[dict[str, str]]
    paths: list[str]
    bodies: list[bytes]
    answer: dict[str, Any]
    status: int
    pause: float
    torn: bool = False
    raw: bytes = b""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        body = self.rfile.read(size)
        form = urllib.parse.parse_qs(body.decode())
        self.server.headers.append(dict(self.headers.items()))
        self.server.paths.append(self.path)
        self.server.bodies.append(body)
        self.server.asked.append({key: values[0] for key, values in form.items()})
        time.sleep(self.server.pause)
        self.send_response(self.server.status)
        answer = self.server.raw or json.dumps(self.server.answer).encode()
        if self.server.torn:
            self.send_header("Content-Length", str(len(answer) + 1))
        with suppress(ConnectionError):  # the client may have closed the connection
            self.end_headers()
            self.wfile.write(answer)

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(("127.0.0.1", 0), Handler)
    running.asked, running.status, running.pause = [], 200, 0.0
    running.headers, running.paths, running.bodies = [], [], []
    running.answer = matrix(({"instance": "one"}, [[65, "20.5"], [70, "NaN"]]))
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield running
    running.shutdown()
    running.server_close()


def matrix(*series: tuple[dict[str, str], list[list[object]]]) -> dict[str, Any]:
    result = [{"metric": labels, "values": values} for labels, values in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def source(server: Server, period: int = 5, user: str = "", **more: Any) -> Prometheus:
    settings = {
        "kind": "prometheus",
        "url": f"http://{user}127.0.0.1:{server.server_address[1]}/",
        "queries": {"latency": {"value": LATENCY, "samples": COUNT}},
        "timeout": 5,
        **more,
    }
    environment = parse_environment(GOOD | {"source": settings})
    assert isinstance(environment.source, PrometheusSource)
    return Prometheus(environment.source, environment, period)
