"""Simulated services of the judge's benchmark, written in the form that canary reads.

    python -m tests.bench.suggest.simulated DIRECTORY [SEED]

They are worlds B and C of `make bench-verdict`, for which `canary suggest` was not tuned: Pareto
bursts, heavy-tailed noise that drifts, failures in batches, hosts of two models. One long run of
equal hosts is cut into two parts: turn1 is the history, turn2 holds the windows to judge.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from tests.bench.suggest.record import HEAD
from tests.bench.verdict import world_b, world_c
from tests.bench.verdict.readings import COUNTS, LATENCIES, NONE, Floats

PERIOD, WINDOW, LEARNED, JUDGED = 60, 2400, 100, 40
"""Seconds of a period and of a canary, and the numbers of windows in both turns."""
SEED = 20261128
START = 1_699_999_200 // WINDOW * WINDOW
PERIODS = (LEARNED + JUDGED) * WINDOW // PERIOD
SERVICES = {
    "b1": "B1",
    "b3": "B3",
    "b4": "B4",
    "c1": "C1",
    "c9": "C9",
    "b1-again": "B1",
    "b3-again": "B3",
    "c1-again": "C1",
}
Hosts = dict[str, dict[str, Floats]]
"""By host: its metrics, with ``spread`` and ``throughput`` among them."""


def hosts_of(name: str, seed: int) -> Hosts:
    """Return one long run of equal hosts; names alternate between the arms."""
    if name.startswith("B"):
        drawn = world_b.simulate(world_b.SCENARIOS[name], NONE, 1, PERIODS, seed)
        found: Hosts = {"h1": {}, "h2": {}}
        for metric, one in drawn.metrics.items():
            found["h1"][metric], found["h2"][metric] = one.baseline[0], one.candidate[0]
        spread = drawn.metrics["latency_mean"]
        for host, values in (("h1", spread.baseline_spread), ("h2", spread.candidate_spread)):
            found[host]["spread"] = np.full(PERIODS, np.nan) if values is None else values[0]
        return found
    fleet = world_c.rehearsal(name, (1, PERIODS, seed))
    found = {}
    for first, arm in ((1, fleet.baseline), (2, fleet.candidate)):
        for at in range(arm["throughput"].shape[1]):
            found[f"h{first + 2 * at}"] = {key: values[0, at] for key, values in arm.items()}
    return found


def write(place: Path, service: str, hosts: Hosts) -> None:
    """Write both turns of one service."""
    for turn, first, last in (("turn1", 0, LEARNED), ("turn2", LEARNED, LEARNED + JUDGED)):
        (place / turn).mkdir(parents=True, exist_ok=True)
        with (place / turn / f"{service}.csv").open("w") as file:
            file.write(HEAD)
            for at in range(first * WINDOW // PERIOD, last * WINDOW // PERIOD):
                for host, metrics in hosts.items():
                    file.writelines(_rows(START + at * PERIOD, f"{service}-{host}", metrics, at))


def _rows(time: int, host: str, metrics: dict[str, Floats], at: int) -> list[str]:
    requests, spread = metrics["throughput"][at], metrics["spread"][at]
    rows = []
    for name, values in metrics.items():
        if name == "spread" or not np.isfinite(values[at]):
            continue
        samples = f"{requests:.0f}" if name in LATENCIES + COUNTS else ""
        width = f"{spread:.4f}" if name in LATENCIES and np.isfinite(spread) else ""
        rows.append(f"{time},baseline,{host},{name},{values[at]:.6g},{samples},{width}\n")
    return rows


if __name__ == "__main__":
    where = Path(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    for number, (service, scenario) in enumerate(SERVICES.items()):
        write(where, service, hosts_of(scenario, seed + number))
    known = {service: {"window": WINDOW} for service in SERVICES}
    (where / "services.json").write_text(json.dumps(known))
