"""The memory of the shop under load: it must grow only with the leak fault.

    python -m tests.bench.bench_app_memory [MINUTES]

Two shops side by side on one PostgreSQL and one Redis, as they are deployed, 100 requests a second
each (a cart, its checkout, a product); the first quarter of the time is warm-up. Exit status 1 if
the sound shop grows or the leaking one does not, 2 with too few responses.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from app.metrics import process
from tests.support.app_http import ask
from tests.support.app_servers import Shop, postgres, redis

RATE = 100
CLIENTS = 5
#: A megabyte in ten minutes: less than the leak in a second, and more than noise.
MOST_MB_PER_MINUTE = 0.1
FEWEST_A_SECOND = 20
LEAK_BYTES = 10_000
LEAK = {"SHOP_FAULTS": f"memleak={LEAK_BYTES // 1000}KB/req", "SHOP_ALLOW_FAULTS": "1"}
CART = json.dumps({"items": [{"description": "x", "qty": 1, "unitPrice": "19.99"}]})


class Shopper(threading.Thread):
    """Sends requests at its rate if the machine allows; reconnects after errors."""

    def __init__(self, server: Shop, until: float) -> None:
        super().__init__()
        self.answered = 0
        self._until = until
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def run(self) -> None:
        while time.monotonic() < self._until:
            try:
                made = self._ask("POST", "/cart", CART)
                self._ask("POST", "/cart/checkout", made)
                self._ask("GET", "/product/1", None)
            except (OSError, http.client.HTTPException):
                self._connection.close()
        self._connection.close()

    def _ask(self, method: str, path: str, body: str | None) -> str:
        due = time.monotonic() + CLIENTS / RATE
        self._connection.request(method, path, body)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:  # a busy machine: retry without counting
            raise OSError(f"{path} answered {answer.status}: {text}")
        self.answered += 1
        time.sleep(max(0.0, due - time.monotonic()))
        return text


def megabytes(server: Shop) -> float:
    assert server.process
    return sum(each.resident_bytes for each in process.tree(server.process.pid)) / 1e6


def slope(seen: list[tuple[float, float]]) -> float:
    """Return megabytes a minute, by least squares."""
    minutes = [at / 60 for at, _ in seen]
    return statistics.linear_regression(minutes, [size for _, size in seen]).slope


def watch(servers: list[Shop], seconds: float) -> list[float]:
    """Return the growth of each after the warm-up."""
    began = time.monotonic()
    seen: list[list[tuple[float, float]]] = [[] for _ in servers]
    while (at := time.monotonic() - began) < seconds:
        for server, sizes in zip(servers, seen, strict=True):
            if at > seconds / 4:
                sizes.append((at, megabytes(server)))
        time.sleep(2)
    return [slope(sizes) for sizes in seen]


def run(seconds: float) -> tuple[list[float], list[int]]:
    """Return the growth and the responses of the sound and of the leaking shop."""
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="shop-memory-"))
        common = {
            "SHOP_DATABASE_URL": stack.enter_context(postgres()).url,
            "SHOP_REDIS_URL": stack.enter_context(redis()).url,
            "SHOP_LOG_REQUESTS": "0",
        }
        servers = [Shop(Path(directory), {**common, **faults}) for faults in ({}, LEAK)]
        for server in servers:
            stack.callback(server.stop)
            server.start()
        ask(f"{servers[0].url}/data", {"id": 1, "name": "x", "price": 1})
        until = time.monotonic() + seconds
        shoppers = [(place, Shopper(servers[place], until)) for place in (0, 1) * CLIENTS]
        for _, shopper in shoppers:
            shopper.start()
        grew = watch(servers, seconds)
        answered = [0, 0]
        for place, shopper in shoppers:
            shopper.join()
            answered[place] += shopper.answered
        return grew, answered


def main() -> int:
    seconds = 60 * (float(sys.argv[1]) if len(sys.argv) > 1 else 10)
    (sound, leaking), answered = run(seconds)
    leaked = LEAK_BYTES * answered[1] / 1e6 / (seconds / 60)
    sys.stdout.write(f"Without the fault: {sound:+.3f} MB a minute, {answered[0]:,} answers.\n")
    sys.stdout.write(
        f"With {LEAK['SHOP_FAULTS']}: {leaking:+.1f} MB a minute, {answered[1]:,} answers,"
        f" whose leak is {leaked:.1f}.\n"
        f"Load average at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n"
    )
    if min(answered) < FEWEST_A_SECOND * seconds:
        sys.stdout.write("Too few answers to tell: run it where nothing else runs.\n")
        return 2
    return 0 if sound <= MOST_MB_PER_MINUTE and leaking > leaked / 2 else 1


if __name__ == "__main__":
    sys.exit(main())
