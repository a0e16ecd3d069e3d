"""The shop beside Flask with gunicorn and FastAPI with uvicorn, and beside the bare server.

    python -m tests.bench.bench_app [ROUNDS]

All run at once on one PostgreSQL and one Redis, two processes each, and take turns: in each round
each route of each is asked as fast as 32 connections can (wrk), then 200 times a second, when the
99th percentile is read, counted from the moment each request was due. Shown are medians. On a
machine that does other things too, the servers' own processor time per request is what repeats.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from app.metrics import process
from app.metrics.slots import Slot
from tests.bench.app_load import at_rate
from tests.integration.app_http import ask
from tests.integration.app_servers import ROOT, free_port, postgres, program, redis, wait_for

HERE = Path(__file__).parent / "app_peers"
ENVIRONMENT = ROOT / ".run" / "bench-app"
SECONDS, CONNECTIONS, RATE = 4, 32, 200
CARTS = 30_000
ITEMS = [{"description": f"item {n}", "qty": n, "unitPrice": f"{n}9.99"} for n in (1, 2, 3)]
BODY = json.dumps({"items": ITEMS})
ROUTES = ("GET /product", "POST /cart", "POST /cart/checkout")


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Run:
    """Answers a second, processor microseconds of each, and its 99th percentile in ms."""

    rate: float
    cpu: float
    p99: float


def commands(python: Path) -> dict[str, list[str]]:
    """Return how each server is started; PORT stands for its port."""
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1"]
    granian += ["--port", "PORT", "--workers", "2", "--blocking-threads", "4", "--no-log"]
    peers = "tests.bench.app_peers"
    gunicorn = ["-m", "gunicorn", "-b", "127.0.0.1:PORT", "--workers", "2", "--threads", "4"]
    uvicorn = ["-m", "uvicorn", "--port", "PORT", "--workers", "2", "--no-access-log"]
    return {
        "shop": [sys.executable, "-m", "app"],
        "shop, Granian alone": [*granian, "--factory", f"{peers}.unmeasured:measured"],
        "the same, unmeasured": [*granian, "--factory", f"{peers}.unmeasured:unmeasured"],
        "Flask, gunicorn": [str(python), *gunicorn, f"{peers}.flask_shop:app"],
        "FastAPI, uvicorn": [
            *(str(python), *uvicorn, "--log-level", "warning"),
            f"{peers}.fastapi_shop:app",
        ],
        "limit: hello, Granian": [*granian, f"{peers}.hello:app"],
    }


def peers_python() -> Path:
    """Return the interpreter of the peers' own environment, made once."""
    python = ENVIRONMENT / "bin" / "python"
    wanted = HERE / "requirements.txt"
    done = ENVIRONMENT / "requirements.txt"
    if not done.exists() or done.read_bytes() != wanted.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", str(wanted)], check=True)
        done.write_bytes(wanted.read_bytes())
    return python


@contextmanager
def running(name: str, command: list[str], environment: dict[str, str]) -> Iterator[Server]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="shop-bench-") as state:
        own = {"SHOP_PORT": str(port), "SHOP_STATE_DIRECTORY": state, "SHOP_LOG_REQUESTS": "0"}
        started = subprocess.Popen(
            [word.replace("PORT", str(port)) for word in command],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **environment, **own},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            server = Server(name, port, started.pid)
            wait_for(lambda: _answers(server), name)
            yield server
        finally:
            started.terminate()
            started.wait(30)


def _answers(server: Server) -> bool:
    try:
        return ask(f"{server.url}/product/1", timeout=2).status == 200
    except OSError:
        return False


def measure(server: Server, route: str, database: str) -> Run:
    """Ask one route of one server: as fast as it goes, then at a fixed rate."""
    path = "/product/1" if route == "GET /product" else route.split()[1]
    with tempfile.NamedTemporaryFile("w", suffix=".ids") as file:
        ids = fresh_carts(database) if route.endswith("checkout") else []
        file.write("\n".join(ids[RATE * SECONDS :]))
        file.flush()
        modes = {"GET /product": ["GET"], "POST /cart": ["POST", BODY]}
        mode = modes.get(route, ["IDS", file.name])
        load = f"-t1 -c{CONNECTIONS} -d{SECONDS}s -s {HERE / 'load.lua'}".split()
        before = process.tree(server.pid)
        done = subprocess.run(
            [program("wrk"), *load, server.url + path, "--", *mode],
            capture_output=True,
            text=True,
            check=True,
        )
        spent = process.cpu_used(before, process.tree(server.pid))
    requests, microseconds, bad, _ = map(int, done.stdout.partition("RESULT ")[2].split())
    if bad:
        raise RuntimeError(f"{server.name}: {bad} of {requests} answers of {route} were wrong")
    bodies = [json.dumps({"id": each}) for each in ids[: RATE * SECONDS]] or [
        "" if mode == ["GET"] else BODY
    ] * (RATE * SECONDS)
    p99 = at_rate(server.port, path, bodies, RATE)
    return Run(requests / microseconds * 1e6, spent / requests * 1e6, p99)


def fresh_carts(database: str) -> list[str]:
    """Store carts to check out, and return their ids."""
    items = '[{"description": "x", "qty": 1, "unitPrice": 19.99}]'
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "INSERT INTO carts (id, items, count, total) SELECT gen_random_uuid(), %s::jsonb, 1,"
            " 19.99 FROM generate_series(1, %s) RETURNING id::text",
            (items, CARTS),
        )
        return [row[0] for row in rows.fetchall()]


def compare(rounds: int) -> dict[str, dict[str, list[Run]]]:
    results: dict[str, dict[str, list[Run]]] = {route: {} for route in ROUTES}
    with ExitStack() as stack:
        database = stack.enter_context(postgres()).url
        cache = stack.enter_context(redis()).url
        environment = {"SHOP_DATABASE_URL": database, "SHOP_REDIS_URL": cache}
        prepare(environment)
        servers = [
            stack.enter_context(running(name, command, environment))
            for name, command in commands(peers_python()).items()
        ]
        for number in range(rounds):
            for route in ROUTES:
                for server in servers:
                    asked = "GET /product" if server.name.startswith("limit") else route
                    sys.stderr.write(f"round {number + 1} of {rounds}: {route}, {server.name}\n")
                    run = measure(server, asked, database)
                    results[route].setdefault(server.name, []).append(run)
    return results


def prepare(environment: dict[str, str]) -> None:
    """Bring up the schema, and the one product that is asked for."""
    with tempfile.TemporaryDirectory() as state:
        subprocess.run(
            [sys.executable, "-m", "app", "seed", "--products", "1"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **environment, "SHOP_STATE_DIRECTORY": state},
            check=True,
            stdout=subprocess.DEVNULL,
        )


def median(runs: list[Run]) -> Run:
    columns = zip(*((run.rate, run.cpu, run.p99) for run in runs), strict=True)
    return Run(*map(statistics.median, columns))


def recording() -> float:
    """Return the processor microseconds that recording one answer takes; the best of ten tries.

    Timed alone: between two servers, with and without it, it drowns in what else differs.
    """
    with tempfile.TemporaryDirectory() as directory:
        slot = Slot(Path(directory))
        key = ("/cart", "POST", 200)
        tries = []
        for _ in range(10):
            began = time.thread_time()
            for _ in range(10_000):
                slot.record(key, 0.0123)
            tries.append((time.thread_time() - began) / 10_000 * 1e6)
    return min(tries)


def show(results: dict[str, dict[str, list[Run]]], console: Console) -> None:
    for route, servers in results.items():
        medians = {name: median(runs) for name, runs in servers.items()}
        shop = medians["shop"]
        table = Table("", "answers/s", "shop is", "CPU µs each", "shop is", f"p99 ms at {RATE}/s")
        table.title = route
        for name, run in medians.items():
            rates, costs = f"{shop.rate / run.rate:.2f} x", f"{run.cpu / shop.cpu:.2f} x cheaper"
            cells = (f"{run.rate:,.0f}", rates, f"{run.cpu:.0f}", costs, f"{run.p99:.1f}")
            table.add_row(name, *cells)
        console.print(table)
    for route in ("GET /product", "POST /cart"):
        cost, whole = recording(), median(results[route]["shop"]).cpu
        share = f"{cost:.2f} of {whole:.0f} µs, {cost / whole:.1%}"
        console.print(f"Recording its metrics is {share} of {route}, timed alone.")
    console.print(f"Load average at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    results = compare(rounds)
    show(results, Console())
    path = ROOT / ".run" / "bench-app.json"
    path.write_text(json.dumps(results, default=lambda run: run.__dict__, indent=1) + "\n")
    sys.stderr.write(f"Every run is in {path}.\n")


if __name__ == "__main__":
    main()
