"""The environment of a canary: shoppers, two small servers, and their metrics."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from botocore.exceptions import BotoCoreError, ClientError

from tests.support.canary_account import COLOURS

SEED = 20261121


@dataclass
class Behaviour:
    """How the candidate differs from the baseline, as factors."""

    latency: float = 1.0
    errors: float = 1.0


class Quiet(http.server.BaseHTTPRequestHandler):
    """Responds 200 with nothing but its release, once it has one."""

    protocol_version = "HTTP/1.1"
    server: Backend

    def do_GET(self) -> None:
        self.send_response(200)
        if release := self.server.release():
            self.send_header("X-Release", release)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


class Backend(http.server.ThreadingHTTPServer):
    """An instance of the shop; a health check that hangs up is not an error."""

    daemon_threads = True
    release: Callable[[], str]

    def handle_error(self, *_arguments: object) -> None:
        """Print nothing."""


def send_requests(port: int, stop: threading.Event) -> None:
    """Send about fifty requests a second to the proxy, each as a new shopper."""
    users = np.random.default_rng(SEED)
    while not stop.wait(0.02):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/", headers={"X-User": str(users.integers(10_000))}
        )
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=2):  # noqa: S310
            pass


@dataclass
class Publisher:
    """Publishes the metrics of both instances at the real split of the proxy.

    Attributes:
        cloudwatch: a client.
        instances: the instance id of each colour.
        green_weight: returns the weight of the candidate, 0 to 256.
        behaviour: how the candidate differs; a test may change it.
        publishing: a test may stop it.
    """

    cloudwatch: Any
    instances: dict[str, str]
    green_weight: Callable[[], int]
    behaviour: Behaviour
    publishing: bool = True
    _share: float = 0.0

    def run(self, stop: threading.Event) -> None:
        """Send the metrics of each second after its end. Repeat a failed call with the next."""
        noise = np.random.default_rng(SEED)
        second, unsent = int(time.time()), []
        while not stop.wait(max(0.0, second + 1 - time.time())):
            if self.publishing:
                unsent += [datum for c in COLOURS for datum in self._data(c, second, noise)]
            second += 1
            if unsent:
                with contextlib.suppress(BotoCoreError, ClientError):
                    self.cloudwatch.put_metric_data(Namespace="Shop", MetricData=unsent)
                    unsent = []

    def _data(self, colour: str, second: int, noise: np.random.Generator) -> list[dict[str, Any]]:
        with contextlib.suppress(OSError, ValueError, IndexError):
            share = self.green_weight() / 256
            self._share = min(share, 1.0) if share < 1 else 0.5
        mine = self._share if colour == "green" else 1 - self._share
        differs = self.behaviour if colour == "green" else Behaviour()
        requests = int(noise.poisson(200 * mine))
        sample = np.exp(noise.normal(np.log(20 * differs.latency), 0.5, requests))
        values, counts = np.unique(np.round(sample).clip(1, 100), return_counts=True)
        base = {
            "Dimensions": [
                {"Name": "Environment", "Value": "test"},
                {"Name": "Colour", "Value": colour},
                {"Name": "Instance", "Value": self.instances[colour]},
            ],
            "Timestamp": datetime.fromtimestamp(second, UTC),
            "StorageResolution": 1,
        }
        errors = int(noise.binomial(requests, min(1.0, 0.01 * differs.errors)))
        found = [
            {**base, "MetricName": "requests", "Value": requests, "Unit": "Count"},
            {**base, "MetricName": "errors", "Value": errors, "Unit": "Count"},
        ]
        if requests:
            spread = {"Values": values.tolist(), "Counts": counts.astype(float).tolist()}
            found.append({**base, "MetricName": "latency", "Unit": "Milliseconds", **spread})
        return found
