"""Tables of the measurements of the shop and its peers, with the goals."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.metrics.recorder import Recorder
from app.metrics.slots import Slot

RATE = 200
PEERS = ("Flask, gunicorn", "FastAPI, uvicorn")
LIMIT = "limit: hello, Granian"
Results = dict[str, dict[str, "list[Run]"]]


@dataclass(frozen=True)
class Run:
    """Responses a second, CPU microseconds per response, and the 99th percentile in ms."""

    rate: float
    cpu: float
    p99: float


def median(runs: list[Run]) -> Run:
    columns = zip(*((run.rate, run.cpu, run.p99) for run in runs), strict=True)
    return Run(*map(statistics.median, columns))


def recording() -> float:
    """Return the CPU microseconds to record one response; the best of ten runs.

    It is timed alone, because between two servers other differences are larger.
    """
    with tempfile.TemporaryDirectory() as directory:
        recorder = Recorder(Slot(Path(directory)))
        key = ("/cart", "POST", 200)
        tries = []
        for _ in range(10):
            began = time.process_time()  # of both threads: one makes notes, one counts them
            for _ in range(10_000):
                recorder.record(key, 0.0123)
            recorder.flush()
            tries.append((time.process_time() - began) / 10_000 * 1e6)
    return min(tries)


def show(results: Results, console: Console) -> None:
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
    for route in results:
        cost, whole = recording(), median(results[route]["shop"]).cpu
        share = f"{cost:.2f} of {whole:.0f} µs, {cost / whole:.1%}"
        console.print(f"Recording its metrics is {share} of {route}, timed alone.")


def goals(results: Results, added: list[float], console: Console) -> bool:
    """Print whether each goal is met, with medians over rounds of ratios within a round."""
    found: list[tuple[str, float, float, bool]] = []
    for peer in PEERS if "POST /cart" in results else ():
        ratio = faster(results["POST /cart"], "shop", peer)
        found.append((f"POST /cart, answers/s beside {peer}", ratio, 1.5, ratio >= 1.5))
    if "GET /product" in results:
        ratio = faster(results["GET /product"], "shop", LIMIT)
        found.append(("GET /product, answers/s beside the limit", ratio, 0.6, ratio >= 0.6))
    more = statistics.median(added)
    found.append(("processor time that metrics add to GET /product", more, 0.03, more <= 0.03))
    for what, seen, goal, met in found:
        console.print(f"{'met   ' if met else 'MISSED'} {what}: {seen:.3f}; the goal is {goal}.")
    low, _, high = statistics.quantiles(added, n=4)
    console.print(
        f"Half of the {len(added)} pairs with and without metrics: {low:.1%} to {high:.1%}."
    )
    return all(met for *_, met in found)


def faster(servers: dict[str, list[Run]], name: str, other: str) -> float:
    runs = zip(servers[name], servers[other], strict=True)
    return statistics.median(mine.rate / its.rate for mine, its in runs)
