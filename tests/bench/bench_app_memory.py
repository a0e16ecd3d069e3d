"""Does the shop's memory grow under load? Without the leak fault it may not; with it, it must.

    python -m tests.bench.bench_app_memory [MINUTES]

Two shops side by side, 100 requests a second each (a cart, its checkout, a product); the first
quarter of the time is warm-up. Exit status 1 if the one grows or the other does not.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from app.metrics import process
from tests.bench.app_load import at_rate
from tests.integration.app_http import ask
from tests.integration.app_servers import Shop

RATE = 100
#: A megabyte in ten minutes is less than the leak makes in a second, and more than noise.
MOST_MB_PER_MINUTE = 0.1
LEAK_BYTES = 10_000
LEAK = {"SHOP_FAULTS": f"memleak={LEAK_BYTES // 1000}KB/req", "SHOP_ALLOW_FAULTS": "1"}
CART = json.dumps({"items": [{"description": "x", "qty": 1, "unitPrice": "19.99"}]})


def load(server: Shop, until: float) -> None:
    """Ask at a fixed rate, a second's worth at a time."""
    while time.monotonic() < until:
        at_rate(server.port, "/cart", [CART] * (RATE // 2), RATE)
        at_rate(server.port, "/product/1", [""] * (RATE // 2), RATE)
        made = ask(f"{server.url}/cart", CART.encode()).json()
        ask(f"{server.url}/cart/checkout", made)


def megabytes(server: Shop) -> float:
    assert server.process
    return sum(each.resident_bytes for each in process.tree(server.process.pid)) / 1e6


def slope(seen: list[tuple[float, float]]) -> float:
    """Return megabytes a minute, by least squares."""
    minutes = [at / 60 for at, _ in seen]
    return statistics.linear_regression(minutes, [size for _, size in seen]).slope


def watch(servers: list[Shop], seconds: float) -> list[float]:
    """Return how fast each grew after its warm-up."""
    began = time.monotonic()
    seen: list[list[tuple[float, float]]] = [[] for _ in servers]
    while (at := time.monotonic() - began) < seconds:
        for server, sizes in zip(servers, seen, strict=True):
            if at > seconds / 4:
                sizes.append((at, megabytes(server)))
        time.sleep(2)
    return [slope(sizes) for sizes in seen]


def main() -> int:
    seconds = 60 * (float(sys.argv[1]) if len(sys.argv) > 1 else 10)
    with tempfile.TemporaryDirectory(prefix="shop-memory-") as directory:
        common = {"SHOP_LOG_REQUESTS": "0", "SHOP_CART_TTL": "30"}
        servers = [Shop(Path(directory), {**common, **faults}) for faults in ({}, LEAK)]
        try:
            for server in servers:
                server.start()
                ask(f"{server.url}/data", {"id": 1, "name": "x", "price": 1})
            until = time.monotonic() + seconds
            threads = [threading.Thread(target=load, args=(each, until)) for each in servers]
            for thread in threads:
                thread.start()
            sound, leaking = watch(servers, seconds)
            for thread in threads:
                thread.join()
        finally:
            for server in servers:
                server.stop()
    sys.stdout.write(f"Without the fault: {sound:+.3f} MB a minute.\n")
    sys.stdout.write(f"With {LEAK['SHOP_FAULTS']}: {leaking:+.1f} MB a minute.\n")
    return 0 if sound <= MOST_MB_PER_MINUTE and leaking > 1 else 1


if __name__ == "__main__":
    sys.exit(main())
