# mypy: disable-error-code="no-untyped-call"
"""The peers of the benchmark, each instance with a file of its own metrics, and with faults.

    SHOP_METRICS=FILE SHOP_FAULT=FILE SHOP_ERRORS=0.01 gunicorn tests.bench.suggest.served:flask
    ... uvicorn tests.bench.suggest.served:fastapi

Every second, the instance adds its rows to the metrics file, in the format that canary reads. The
fault file is JSON, ``{"errors": 0.02, "slower": 0.25}``, and may change at any time. It gives the
share of additional responses with status 500, and the additional time as a share of the request's
own.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

LATE = 0.3
"""Delay in seconds after the end of a second until its rows are written."""
POLL = 0.1
Z90 = 1.2815515655446004


class Meter:
    """The requests of one instance by second, and the faults in force."""

    def __init__(self) -> None:
        self.file = Path(os.environ["SHOP_METRICS"])
        self.fault_file = Path(os.environ["SHOP_FAULT"])
        self.instance = self.file.stem
        self.usual = float(os.environ.get("SHOP_ERRORS", "0"))
        self.errors, self.slower = self.usual, 0.0
        self.seen: dict[int, list[tuple[float, bool, bool]]] = defaultdict(list)
        self.lock = threading.Lock()
        self.chance = random.Random(self.instance)  # noqa: S311
        threading.Thread(target=self._run, daemon=True).start()

    def fails(self) -> bool:
        return self.chance.random() < self.errors

    def add(self, took: float, *, failed: bool, checkout: bool) -> None:
        with self.lock:
            self.seen[int(time.time())].append((1000 * took, failed, checkout and not failed))

    def _run(self) -> None:
        written, cpu = int(time.time()), time.process_time()
        while True:
            time.sleep(POLL)
            self._read_fault()
            if time.time() >= written + 1 + LATE:
                spent = time.process_time()
                with self.lock:
                    rows = self.seen.pop(written, [])
                self._write(written, rows, 100 * (spent - cpu))
                written, cpu = written + 1, spent

    def _read_fault(self) -> None:
        try:
            fault = json.loads(self.fault_file.read_text())
        except (OSError, ValueError):
            fault = {}
        self.errors = self.usual + fault.get("errors", 0.0)
        self.slower = fault.get("slower", 0.0)

    def _write(self, second: int, rows: list[tuple[float, bool, bool]], cpu: float) -> None:
        took = sorted(row[0] for row in rows)
        count = len(took)
        found: dict[str, tuple[float, str]] = {"cpu": (cpu, ""), "memory": (_memory(), "")}
        found |= {"threads": (6, ""), "uptime": (time.monotonic(), "")}
        found["requests"] = (count, "")
        if count:
            p50, p90 = (took[math.ceil(part * count) - 1] for part in (0.5, 0.9))
            spread = f"{math.log(p90 / p50) / Z90:.4f}"
            found["latency"] = (sum(took) / count, f"{count},{spread}")
            found["latency_p90"] = (p90, f"{count},{spread}")
            found["errors"] = (sum(row[1] for row in rows), f"{count},")
            found["checkouts"] = (sum(row[2] for row in rows), f"{count},")
        with self.file.open("a") as file:
            for name, (value, rest) in found.items():
                file.write(f"{second},baseline,{self.instance},{name},{value:.6g},{rest or ','}\n")


def _memory() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


class MeasuredWsgi:
    """Measures a WSGI app from inside its server."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app, self.meter = app, Meter()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        began, told = time.perf_counter(), []
        body = b"".join(self.app(environ, lambda *words: told.append(words)))
        took = time.perf_counter() - began
        time.sleep(took * self.meter.slower)
        failed = self.meter.fails() or told[0][0].startswith("5")
        checkout = environ["PATH_INFO"].endswith("checkout")
        self.meter.add(time.perf_counter() - began, failed=failed, checkout=checkout)
        if failed:
            start("500 Internal Server Error", [("Content-Length", "0")])
            return [b""]
        start(*told[0])
        return [body]


class MeasuredAsgi:
    """Measures an ASGI app from inside its server."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app, self.meter = app, Meter()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, told = time.perf_counter(), []

        async def keep(message: dict[str, Any]) -> None:
            told.append(message)

        await self.app(scope, receive, keep)
        took = time.perf_counter() - began
        await asyncio.sleep(took * self.meter.slower)
        failed = self.meter.fails() or told[0]["status"] >= 500
        checkout = scope["path"].endswith("checkout")
        self.meter.add(time.perf_counter() - began, failed=failed, checkout=checkout)
        if failed:
            told = [
                {
                    "type": "http.response.start",
                    "status": 500,
                    "headers": [(b"content-length", b"0")],
                },
                {"type": "http.response.body", "body": b""},
            ]
        for message in told:
            await send(message)


def __getattr__(name: str) -> Any:
    """Create only the app that the server asks for."""
    if name == "flask":
        from tests.bench.app_peers.flask_shop import app as flask_app

        made: Any = MeasuredWsgi(flask_app)
    elif name == "fastapi":
        from tests.bench.app_peers.fastapi_shop import app as fastapi_app

        made = MeasuredAsgi(fastapi_app)
    else:
        raise AttributeError(name)
    globals()[name] = made
    return made
