"""The shop beside Flask with gunicorn and FastAPI with uvicorn, and beside the bare server.

    python -m tests.bench.bench_app [ROUNDS [ROUTE]]

All servers run at once on one PostgreSQL and one Redis, with two processes each, and take turns. In
each round, each route of each server gets requests as fast as 32 connections allow (wrk), and then
200 requests a second for the 99th percentile, measured from the planned time of each request. The
results are medians. On a busy machine, the CPU time per request is the most reproducible number.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.console import Console

from app.metrics import process
from tests.bench.app_load import at_rate
from tests.bench.app_table import LIMIT, RATE, Results, Run, goals, show
from tests.support.app_http import ask
from tests.support.app_servers import postgres, program, redis
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.waiting import wait_for

HERE = Path(__file__).parent / "app_peers"
ENVIRONMENT = ROOT / ".run" / "bench-app"
SECONDS, CONNECTIONS = 4, 32
BLOCKS, PAIRS = 8, 10
CARTS = 30_000
ITEMS = [{"description": f"item {n}", "qty": n, "unitPrice": f"{n}9.99"} for n in (1, 2, 3)]
BODY = json.dumps({"items": ITEMS})
ROUTES = ("GET /product", "POST /cart", "POST /cart/checkout")
PEERS = "tests.bench.app_peers"
GRANIAN = [sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1"]
GRANIAN += ["--port", "PORT", "--workers", "2", "--blocking-threads", "4", "--no-log"]


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def commands(python: Path) -> dict[str, list[str]]:
    """Return the start command of each server; PORT is replaced by its port."""
    gunicorn = ["-m", "gunicorn", "-b", "127.0.0.1:PORT", "--workers", "2", "--threads", "4"]
    uvicorn = ["-m", "uvicorn", "--port", "PORT", "--workers", "2", "--no-access-log"]
    return {
        "shop": [sys.executable, "-m", "app"],
        "Flask, gunicorn": [str(python), *gunicorn, f"{PEERS}.flask_shop:app"],
        "FastAPI, uvicorn": [
            *(str(python), *uvicorn, "--log-level", "warning"),
            f"{PEERS}.fastapi_shop:app",
        ],
        LIMIT: [*GRANIAN, f"{PEERS}.hello:app"],
    }


def peers_python() -> Path:
    """Return the interpreter of the environment of the peers, which is created once."""
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
    """Measure one route of one server: at full speed, then at a fixed rate."""
    path = "/product/1" if route == "GET /product" else route.split()[1]
    with tempfile.NamedTemporaryFile("w", suffix=".ids") as file:
        ids = fresh_carts(database) if route.endswith("checkout") else []
        file.write("\n".join(ids[RATE * SECONDS :]))
        file.flush()
        modes = {"GET /product": ["GET"], "POST /cart": ["POST", BODY]}
        mode = modes.get(route, ["IDS", file.name])
        rate, cpu = as_fast_as_it_goes(server, path, mode, SECONDS)
    bodies = [json.dumps({"id": each}) for each in ids[: RATE * SECONDS]] or [
        "" if mode == ["GET"] else BODY
    ] * (RATE * SECONDS)
    return Run(rate, cpu, at_rate(server.port, path, bodies, RATE))


def as_fast_as_it_goes(
    server: Server, path: str, mode: list[str], seconds: int
) -> tuple[float, float]:
    """Return responses a second and CPU microseconds per response."""
    load = f"-t1 -c{CONNECTIONS} -d{seconds}s -s {HERE / 'load.lua'}".split()
    before = process.tree(server.pid)
    done = subprocess.run(
        [program("wrk"), *load, server.url + path, "--", *mode],
        capture_output=True,
        text=True,
        check=True,
    )
    spent = process.cpu_used(before, process.tree(server.pid))
    requests, microseconds, bad, _ = map(int, done.stdout.partition("RESULT ")[2].split())
    if bad > requests / 1_000:  # on a busy machine a connection sometimes times out
        raise RuntimeError(f"{server.name}: {bad} of {requests} answers of {path} were wrong")
    return requests / microseconds * 1e6, spent / requests * 1e6


def cost_of_metrics(environment: dict[str, str]) -> list[float]:
    """Return the cost of recording for a cached product, in pairs of seconds.

    The cheapest response shows the cost best. Pairs are short, because neighbouring seconds are
    alike. Two processes of the same code can differ by 3 %, so each block of pairs starts new ones.
    """
    added = []
    for block in range(BLOCKS):
        sys.stderr.write(f"metrics, block {block + 1} of {BLOCKS}: {PAIRS} pairs\n")
        with ExitStack() as stack:
            servers = [
                stack.enter_context(
                    running(
                        name, [*GRANIAN, "--factory", f"{PEERS}.unmeasured:{name}"], environment
                    )
                )
                for name in ("measured", "unmeasured")
            ]
            for number in range(PAIRS):
                turn = servers if number % 2 else servers[::-1]
                cpu = {it.name: as_fast_as_it_goes(it, "/product/1", ["GET"], 1)[1] for it in turn}
                added.append(cpu["measured"] / cpu["unmeasured"] - 1)
    return added


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


def compare(rounds: int, routes: tuple[str, ...]) -> tuple[Results, list[float]]:
    """Return all runs and the cost of the metrics."""
    results: Results = {route: {} for route in routes}
    with ExitStack() as stack:
        database = stack.enter_context(postgres()).url
        cache = stack.enter_context(redis()).url
        environment = {"SHOP_DATABASE_URL": database, "SHOP_REDIS_URL": cache}
        prepare(environment)
        added = cost_of_metrics(environment)  # must precede the other parts of the benchmark
        servers = [
            stack.enter_context(running(name, command, environment))
            for name, command in commands(peers_python()).items()
        ]
        for number in range(rounds):
            for route in routes:
                turn = servers[number % len(servers) :] + servers[: number % len(servers)]
                for server in turn:  # the order of the servers varies
                    asked = "GET /product" if server.name.startswith("limit") else route
                    sys.stderr.write(f"round {number + 1} of {rounds}: {route}, {server.name}\n")
                    run = measure(server, asked, database)
                    results[route].setdefault(server.name, []).append(run)
        return results, added


def prepare(environment: dict[str, str], products: int = 1) -> None:
    """Migrate the schema and store the requested products."""
    with tempfile.TemporaryDirectory() as state:
        subprocess.run(
            [sys.executable, "-m", "app", "seed", "--products", str(products)],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **environment, "SHOP_STATE_DIRECTORY": state},
            check=True,
            stdout=subprocess.DEVNULL,
        )


def main() -> int:
    """Return 1 if a goal is missed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    routes = tuple(route for route in ROUTES if route in sys.argv[2:]) or ROUTES
    results, added = compare(rounds, routes)
    path = ROOT / ".run" / "bench-app.json"
    path.write_text(json.dumps(results, default=lambda run: run.__dict__, indent=1) + "\n")
    console = Console()
    show(results, console)
    console.print(f"Load average at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")
    console.print(f"Every run is in {path}.")
    return 0 if goals(results, added, console) else 1


if __name__ == "__main__":
    sys.exit(main())
