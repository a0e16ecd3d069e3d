"""Record services of two equal instances each, under load, for some minutes.

    python -m tests.bench.suggest.record DIRECTORY SECONDS [FAULTS.json]

Each service has a CSV file for each turn, SERVICE-TURN.csv, which is final after the turn. All
services run at once on one PostgreSQL and one Redis, so they disturb each other as neighbours do.
FAULTS.json lists real faults: ``{"service", "window", "errors", "slower"}``. The second instance of
the service has a fault in its window.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.bench_app import peers_python, prepare
from tests.bench.suggest.load import PRODUCTS
from tests.support.app_http import ask
from tests.support.app_servers import postgres, redis
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.waiting import wait_for

WINDOW = 30
"""Seconds of a window, which is one canary of the trial."""
SETTLED = 5
"""Seconds of load before anything is recorded."""
HEAD = "time,arm,instance,metric,value,samples,spread\n"
HOSTS = ("a", "b")


@dataclass(frozen=True)
class Service:
    """A service: its framework, the requests per second of each instance, and its usual errors."""

    name: str
    framework: str
    rate: float
    errors: float = 0.0
    swing: float = 0.0

    def command(self, port: int) -> list[str]:
        python = str(peers_python())
        app = f"tests.bench.suggest.served:{self.framework}"
        if self.framework == "flask":
            gunicorn = ["-m", "gunicorn", "-b", f"127.0.0.1:{port}", "--workers", "1"]
            return [python, *gunicorn, "--threads", "4", "--keep-alive", "75", app]
        uvicorn = ["-m", "uvicorn", "--port", str(port), "--workers", "1", "--no-access-log"]
        return [python, *uvicorn, "--log-level", "warning", app]


SERVICES = tuple(
    Service(f"{framework}-{kind}", framework, rate, errors, swing)
    for framework in ("flask", "fastapi")
    for kind, rate, errors, swing in (
        ("small", 12.0, 0.0, 0.0),
        ("swinging", 16.0, 0.002, 0.4),
        ("failing", 20.0, 0.02, 0.0),
        ("busy", 26.0, 0.005, 0.2),
    )
)


@contextmanager
def instance(service: Service, name: str, place: Path, shared: dict[str, str]) -> Iterator[int]:
    """Run one instance, which writes NAME.rows into ``place``; its port is yielded."""
    port = free_port()
    own = {
        "SHOP_METRICS": str(place / f"{name}.rows"),
        "SHOP_FAULT": str(place / f"{name}.fault"),
        "SHOP_ERRORS": str(service.errors),
    }
    with (place / "log").open("ab") as log:
        started = subprocess.Popen(
            service.command(port),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **shared, **own},
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: answers(port), name)
        yield port
    finally:
        started.terminate()
        started.wait(30)


def answers(port: int) -> bool:
    try:
        return ask(f"http://127.0.0.1:{port}/product/1", timeout=2).status in (200, 500)
    except OSError:
        return False


def record(place: Path, seconds: int, faults: list[dict[str, Any]]) -> None:
    """Record one turn of every service into ``place``."""
    place.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        database = stack.enter_context(postgres()).url
        shared = {"SHOP_DATABASE_URL": database}
        shared["SHOP_REDIS_URL"] = stack.enter_context(redis()).url
        prepare(shared, PRODUCTS)
        plan: dict[str, Any] = {"instances": {}}
        for service in SERVICES:
            for host in HOSTS:
                name = f"{service.name}-{host}"
                port = stack.enter_context(instance(service, name, place, shared))
                own = {"port": port, "rate": service.rate, "swing": service.swing}
                plan["instances"][name] = own
        start = (int(time.time()) + SETTLED) // WINDOW * WINDOW + WINDOW
        plan["end"] = start + seconds + 1
        (place / "plan.json").write_text(json.dumps(plan))
        load = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.suggest.load", str(place / "plan.json")], cwd=ROOT
        )
        inflict(place, start, seconds, faults)
        time.sleep(max(0.0, plan["end"] + 2 - time.time()))
        load.terminate()
        load.wait(30)
    known = {service.name: {"window": WINDOW} for service in SERVICES}
    (place.parent / "services.json").write_text(json.dumps(known))
    for service in SERVICES:
        gather(place, service, start, start + seconds)


def inflict(place: Path, start: int, seconds: int, faults: list[dict[str, Any]]) -> None:
    """Set the faults of each window at its start."""
    for window in range(seconds // WINDOW):
        time.sleep(max(0.0, start + window * WINDOW - time.time()))
        for service in SERVICES:
            here = [f for f in faults if (f["service"], f["window"]) == (service.name, window)]
            fault = {key: here[0][key] for key in ("errors", "slower")} if here else {}
            (place / f"{service.name}-{HOSTS[1]}.fault").write_text(json.dumps(fault))


def gather(place: Path, service: Service, start: int, end: int) -> None:
    """Write the rows of a service within the turn as one CSV file."""
    with (place / f"{service.name}.csv").open("w") as file:
        file.write(HEAD)
        for host in HOSTS:
            for line in (
                (place / f"{service.name}-{host}.rows").read_text().splitlines(keepends=True)
            ):
                if start <= int(line.split(",", 1)[0]) < end:
                    file.write(line)


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[3]).read_text()) if len(sys.argv) > 3 else []
    record(Path(sys.argv[1]), int(sys.argv[2]), given)
