"""``canary suggest`` on recorded services: false alarms, and harms of the margins' sizes.

    python -m tests.bench.suggest.trial DIRECTORY suggest    # from turn1: policies, and faults.json
    python -m tests.bench.suggest.trial DIRECTORY judge      # the other turns, window by window

Each window is judged by ``canary analyze`` with the proposed policy and nothing else. Windows of
turns without faults are judged twice: as they are, and with harm of one margin's size added to the
rows of one instance. The turn ``real`` has faults in the services themselves.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from canary.cli import cli
from canary.policy import Metric, load_policy
from tests.bench.suggest.record import HEAD, HOSTS, SERVICES, WINDOW, Service

LEARNED, REAL = "turn1", "real"
SEED = 20261128
VERDICTS = {0: "PASS", 1: "FAIL", 3: "INCONCLUSIVE"}
Row = dict[str, str]


@dataclass
class Result:
    """Verdicts of one service, by what was done to the windows."""

    equal: Counter[str] = field(default_factory=Counter)
    injected: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    real: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def run(*words: str) -> tuple[int, str]:
    """Run canary in this process."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = cli(list(words), standalone_mode=False)
    return int(status or 0), out.getvalue()


def suggest(place: Path) -> None:
    """Propose a policy for each service from its first turn, and the faults of the last one."""
    faults = []
    for service in SERVICES:
        history = f"{LEARNED}/{service.name}.csv"
        words = ("--within", f"{WINDOW}s", "--output", f"{service.name}.yml", "--force")
        status, told = run("suggest", "--csv", history, *words)
        sys.stdout.write(f"{service.name}: {status}\n{told}\n")
        faults += list(_faults(service, place))
    (place / "faults.json").write_text(json.dumps(faults, indent=1))


def _faults(service: Service, place: Path) -> Iterator[dict[str, Any]]:
    """Return faults of the margins' sizes, in two of three windows."""
    metrics = {metric.name: metric for metric in load_policy(f"{service.name}.yml").metrics}
    rate = _rate(place / LEARNED / f"{service.name}.csv")
    for window in range(1000):
        kind = ("errors", "latency", "")[window % 3]
        if kind in metrics:
            metric = metrics[kind]
            errors = _extra(metric, rate) if kind == "errors" else 0.0
            slower = metric.limit.value if kind == "latency" else 0.0
            known = {"service": service.name, "window": window, "metric": kind}
            yield {**known, "errors": errors, "slower": slower}


def _rate(file: Path) -> float:
    rows = [row for row in _rows(file) if row["metric"] == "errors"]
    return sum(float(row["value"]) for row in rows) / sum(float(row["samples"]) for row in rows)


def _extra(metric: Metric, rate: float) -> float:
    return max(rate * metric.limit.value, metric.negligible_rate)


def judge(place: Path) -> None:
    """Judge every window of all turns but the first, and print what was found."""
    results = {}
    for service in SERVICES:
        results[service.name] = found = Result()
        for turn in sorted(path.name for path in place.iterdir() if path.is_dir()):
            file = place / turn / f"{service.name}.csv"
            if turn.startswith("turn") and turn != LEARNED and file.exists():
                _judge_equal(service, file, found)
            elif turn == REAL and file.exists():
                _judge_real(service, file, json.loads((place / "faults.json").read_text()), found)
        sys.stderr.write(f"{service.name}: {dict(found.equal)}\n")
    document = {name: _document(found) for name, found in results.items()}
    (place / "results.json").write_text(json.dumps(document, indent=1, sort_keys=True))
    show(results)


def _document(found: Result) -> dict[str, Any]:
    parts = {"injected": found.injected, "real": found.real}
    words = {part: {name: dict(n) for name, n in by.items()} for part, by in parts.items()}
    return {"equal": dict(found.equal), **words}


def _judge_equal(service: Service, file: Path, found: Result) -> None:
    metrics = load_policy(f"{service.name}.yml").metrics
    for number, rows in enumerate(_windows(file)):
        found.equal[_verdict(service, rows, number)] += 1
        metric = metrics[number % len(metrics)]
        worse = _harmed(metric, rows, HOSTS[1 - number % 2], number)
        found.injected[metric.name][_verdict(service, worse, number)] += 1


def _judge_real(service: Service, file: Path, faults: list[dict[str, Any]], found: Result) -> None:
    by_window = {one["window"]: one["metric"] for one in faults if one["service"] == service.name}
    for number, rows in enumerate(_windows(file)):
        kind = by_window.get(number)
        verdict = _verdict(service, rows, 0)  # the second instance has the faults
        if kind:
            found.real[kind][verdict] += 1
        elif number - 1 not in by_window:
            found.equal[verdict] += 1


def _windows(file: Path) -> Iterator[list[Row]]:
    """Return the rows of each window."""
    by_window: dict[int, list[Row]] = defaultdict(list)
    for row in _rows(file):
        by_window[int(row["time"]) // WINDOW].append(row)
    for number in sorted(by_window):
        yield by_window[number]


def _rows(file: Path) -> list[Row]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def _verdict(service: Service, rows: list[Row], number: int) -> str:
    """Return the verdict on one window; the instances take turns as the candidate."""
    candidate = f"{service.name}-{HOSTS[1 - number % 2]}"
    path = Path("window.csv")
    with path.open("w") as file:
        file.write(HEAD)
        for row in rows:
            arm = "candidate" if row["instance"] == candidate else "baseline"
            file.write(",".join({**row, "arm": arm}.values()) + "\n")
    words = ("--policy", f"{service.name}.yml", "--csv", str(path), "--equal-footing")
    return VERDICTS.get(run("analyze", *words)[0], "could not judge")


def _harmed(metric: Metric, rows: list[Row], host: str, seed: int) -> list[Row]:
    """Return the rows with harm of the margin's size in one instance."""
    chance = np.random.default_rng(SEED + seed)
    own = [row for row in rows if row["metric"] == metric.name]
    size = metric.limit.value
    if metric.kind == "count" and metric.harmful != "decrease":
        requests = sum(float(row["samples"]) for row in own)
        size = _extra(metric, sum(float(row["value"]) for row in own) / requests)
    changed = {
        id(row): f"{_worse(metric, row, size, chance):.6g}"
        for row in own
        if row["instance"].endswith(f"-{host}")
    }
    return [{**row, "value": changed.get(id(row), row["value"])} for row in rows]


def _worse(metric: Metric, row: Row, size: float, chance: np.random.Generator) -> float:
    value = float(row["value"])
    if metric.kind != "count":
        return value * (1 - size if metric.harmful == "decrease" else 1 + size)
    if metric.harmful == "decrease":
        return float(chance.binomial(int(value), 1 - size))
    return min(value + chance.poisson(size * float(row["samples"])), float(row["samples"]))


def show(results: dict[str, Result]) -> None:
    """Print the result, as a table and as sentences."""
    equal: Counter[str] = Counter()
    injected: Counter[str] = Counter()
    real: Counter[str] = Counter()
    lines = ["| service | equal windows | FAIL | PASS | harm added: found | real harm: found |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, found in results.items():
        parts = [sum(by.values(), Counter()) for by in (found.injected, found.real)]
        cells = [f"{one['FAIL']} of {one.total()}" for one in parts]
        numbers = f"{found.equal.total()} | {found.equal['FAIL']} | {found.equal['PASS']}"
        lines.append(f"| {name} | {numbers} | {' | '.join(cells)} |")
        equal, injected, real = equal + found.equal, injected + parts[0], real + parts[1]
    upper = stats.binomtest(equal["FAIL"], equal.total()).proportion_ci(0.9, method="exact").high
    lines += [
        f"False FAIL: {equal['FAIL']} of {equal.total()}, at most {upper:.2%} (95 % confidence).",
        f"PASS without harm: {equal['PASS']} of {equal.total()}.",
        f"Harm added to recorded windows: {injected['FAIL']} of {injected.total()} found.",
        f"Real harm: {real['FAIL']} of {real.total()} found.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    {"suggest": suggest, "judge": judge}[sys.argv[2]](Path())
