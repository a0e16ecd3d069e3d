"""``canary suggest`` on services that it was not tuned for: false alarms, and harm that it finds.

    python -m tests.bench.suggest.trial DIRECTORY suggest    # from turn1: policies, and faults.json
    python -m tests.bench.suggest.trial DIRECTORY judge      # the other turns, window by window
    python -m tests.bench.suggest.trial DIRECTORY show       # the results so far

DIRECTORY holds services.json and a CSV file of each service for each turn. ``canary analyze``
judges each window with only the proposed policy. Windows of turns without faults are judged twice:
unchanged, and with harm to one metric added to the rows of half of the instances. In the turn
``real``, the services themselves have faults.
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
from canary.errors import CanaryError
from canary.policy import Metric, load_policy
from tests.bench.suggest.record import HEAD

LEARNED, REAL = "turn1", "real"
SEED = 20261128
VERDICTS = {0: "PASS", 1: "FAIL", 3: "INCONCLUSIVE"}
Row = dict[str, str]


@dataclass
class Result:
    """Verdicts of one service, by the change of the windows."""

    equal: Counter[str] = field(default_factory=Counter)
    injected: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    real: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def run(*words: str) -> tuple[int, str]:
    """Run canary in this process."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = cli(list(words), standalone_mode=False)
    return int(status or 0), out.getvalue()


@dataclass(frozen=True)
class Service:
    """A service, and the seconds of a canary of it."""

    name: str
    window: int


def services() -> list[Service]:
    """Return the services of this directory, or those that are named."""
    known = json.loads(Path("services.json").read_text())
    named = sys.argv[3:] or sorted(known)
    return [Service(name, known[name]["window"]) for name in named]


def suggest() -> None:
    """Propose a policy for each service from its first turn, and plan faults for the last turn."""
    faults = []
    for service in services():
        history = f"{LEARNED}/{service.name}.csv"
        words = ("--within", f"{service.window}s", "--output", f"{service.name}.yml", "--force")
        try:
            status, told = run("suggest", "--csv", history, *words)
        except CanaryError as error:
            status, told = 2, str(error)
        sys.stdout.write(f"{service.name}: {status}\n{told}\n")
        if status == 0:
            faults += list(_faults(service))
    Path("faults.json").write_text(json.dumps(faults, indent=1))


def _faults(service: Service) -> Iterator[dict[str, Any]]:
    """Return faults of the margins' sizes, in two of three windows."""
    metrics = {metric.name: metric for metric in load_policy(f"{service.name}.yml").metrics}
    rate = _rate(_rows(Path(LEARNED) / f"{service.name}.csv"), "errors")
    for window in range(1000):
        kind = ("errors", "latency", "")[window % 3]
        if kind in metrics:
            metric = metrics[kind]
            errors = _extra(metric, rate) if kind == "errors" else 0.0
            slower = metric.limit.value if kind == "latency" else 0.0
            known = {"service": service.name, "window": window, "metric": kind}
            yield {**known, "errors": errors, "slower": slower}


def _rate(rows: list[Row], metric: str) -> float:
    own = [row for row in rows if row["metric"] == metric]
    requests = sum(float(row["samples"]) for row in own)
    return sum(float(row["value"]) for row in own) / requests if requests else 0.0


def _extra(metric: Metric, rate: float) -> float:
    """Return the harm of a margin of failures, as canary suggest defines it."""
    return max(rate * metric.limit.value, 2 * metric.negligible_rate)


def judge() -> None:
    """Judge every window of all turns but the first, and print the results."""
    for service in services():
        if not Path(f"{service.name}.yml").exists():
            continue
        found = Result()
        for turn in sorted(path.parent.name for path in Path().glob(f"*/{service.name}.csv")):
            file = Path(turn) / f"{service.name}.csv"
            if turn == REAL:
                _judge_real(service, file, json.loads(Path("faults.json").read_text()), found)
            elif turn != LEARNED:
                _judge_equal(service, file, found)
        sys.stderr.write(f"{service.name}: {dict(found.equal)}\n")
        place = Path("results") / f"{service.name}.json"
        place.parent.mkdir(exist_ok=True)
        place.write_text(json.dumps(_document(found), indent=1, sort_keys=True))


def _document(found: Result) -> dict[str, Any]:
    parts = {"injected": found.injected, "real": found.real}
    words = {part: {name: dict(n) for name, n in by.items()} for part, by in parts.items()}
    return {"equal": dict(found.equal), **words}


def _judge_equal(service: Service, file: Path, found: Result) -> None:
    metrics = load_policy(f"{service.name}.yml").metrics
    for number, rows in enumerate(_windows(service, file)):
        found.equal[_verdict(service, rows, number)] += 1
        metric = metrics[number % len(metrics)]
        worse = _harmed(metric, rows, number)
        found.injected[metric.name][_verdict(service, worse, number)] += 1


def _judge_real(service: Service, file: Path, faults: list[dict[str, Any]], found: Result) -> None:
    by_window = {one["window"]: one["metric"] for one in faults if one["service"] == service.name}
    for number, rows in enumerate(_windows(service, file)):
        kind = by_window.get(number)
        verdict = _verdict(service, rows, 0)  # the second instance has the faults
        if kind:
            found.real[kind][verdict] += 1
        elif number - 1 not in by_window:
            found.equal[verdict] += 1


def _windows(service: Service, file: Path) -> Iterator[list[Row]]:
    """Return the rows of each window."""
    by_window: dict[int, list[Row]] = defaultdict(list)
    for row in _rows(file):
        by_window[int(row["time"]) // service.window].append(row)
    for number in sorted(by_window):
        yield by_window[number]


def _rows(file: Path) -> list[Row]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def _candidates(rows: list[Row], number: int) -> set[str]:
    """Return every second instance. Both halves take turns as the candidate."""
    return set(sorted({row["instance"] for row in rows})[1 - number % 2 :: 2])


def _verdict(service: Service, rows: list[Row], number: int) -> str:
    candidates, path = _candidates(rows, number), Path(f"window-{service.name}.csv")
    with path.open("w") as file:
        file.write(HEAD)
        for row in rows:
            arm = "candidate" if row["instance"] in candidates else "baseline"
            file.write(",".join({**row, "arm": arm}.values()) + "\n")
    words = ("--policy", f"{service.name}.yml", "--csv", str(path), "--equal-footing")
    return VERDICTS.get(run("analyze", *words)[0], "could not judge")


def _harmed(metric: Metric, rows: list[Row], number: int) -> list[Row]:
    """Return the rows with the harm of one metric in the candidate."""
    chance = np.random.default_rng(SEED + number)
    size = metric.limit.value
    if metric.kind == "count" and metric.harmful != "decrease":
        size = _extra(metric, _rate(rows, metric.name))
    candidates = _candidates(rows, number)
    return [
        {**row, "value": f"{_worse(metric, row, size, chance):.6g}"}
        if row["metric"] == metric.name and row["instance"] in candidates
        else row
        for row in rows
    ]


def _worse(metric: Metric, row: Row, size: float, chance: np.random.Generator) -> float:
    value = float(row["value"])
    if metric.kind != "count":
        return value * (1 - size if metric.harmful == "decrease" else 1 + size)
    if metric.harmful == "decrease":
        return float(chance.binomial(int(value), 1 - size))
    return min(value + chance.poisson(size * float(row["samples"])), float(row["samples"]))


def _read(path: Path) -> Result:
    document = json.loads(path.read_text())
    parts = {
        part: {name: Counter(n) for name, n in document[part].items()}
        for part in ("injected", "real")
    }
    return Result(Counter(document["equal"]), **parts)


def show() -> None:
    """Print the results, as a table and as sentences."""
    results = {path.stem: _read(path) for path in sorted(Path("results").glob("*.json"))}
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
    {"suggest": suggest, "judge": judge, "show": show}[sys.argv[2]]()
