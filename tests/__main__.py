"""Run the tests: ``python -m tests`` is what ``make test`` runs, ``python -m tests long`` the rest.

Lanes run side by side, and take about as long as each other: hosts are waited for in one while the
others use the processors. Each step writes to ``.run/tests/STEP.log``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from rich.console import Console
from rich.table import Table

from local_cloud.preflight import cannot_boot
from local_cloud.settings import Settings
from tests.support.paths import ROOT

LOGS = ROOT / ".run/tests"
LAST_LINES = 60
QUICK, LONG = ("-m", "not long"), ("-m", "long and not rare")
PARALLEL, BY_MODULE = ("-n", "auto"), ("-n", "3", "--dist", "loadscope", "--no-loadscope-reorder")
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Step:
    """A command, and whether it needs root, or even booted hosts."""

    name: str
    command: tuple[str, ...]
    root: bool = False
    hosts: bool = False


@dataclass(frozen=True)
class Outcome:
    step: Step
    status: int
    seconds: float


Lane = Sequence[Step]
SUITES: dict[str, tuple[Lane, ...]] = {
    "quick": (
        [Step("e2e", ("pytest", "tests/e2e", *QUICK), hosts=True)],
        [
            Step("lint", ("nice", "make", "--no-print-directory", "lint")),
            Step("unit", ("nice", "pytest", "tests/unit", *QUICK, *PARALLEL)),
            Step("processes", ("pytest", "tests/processes", *QUICK, *BY_MODULE), root=True),
        ],
    ),
    "long": (
        [Step("e2e-long", ("pytest", "tests/e2e", *LONG), hosts=True)],
        [
            Step("processes-long", ("pytest", "tests/processes", *LONG, *BY_MODULE), root=True),
            Step("hosts", ("pytest", "tests/hosts"), hosts=True),
        ],
        [
            Step("molecule", (sys.executable, "-m", "tests.molecule"), hosts=True),
            Step("unit-long", ("nice", "pytest", "tests/unit", *LONG, *PARALLEL)),
            Step("sanity", ("nice", sys.executable, "-m", "tests.sanity")),
        ],
    ),
}


def reasons() -> dict[str, str]:
    """Return why steps that need hosts or root cannot run here; empty words if they can."""
    hosts = cannot_boot(Settings.load())
    root = "" if sys.platform == "linux" and os.geteuid() == 0 else hosts
    return {"hosts": hosts, "root": root}


def run(step: Step) -> Outcome:
    console.print(f"==> {step.name}: {' '.join(step.command)}")
    began = time.monotonic()
    log = LOGS / f"{step.name}.log"
    with log.open("wb") as output:
        status = subprocess.run(
            step.command,
            cwd=ROOT,
            env={**os.environ, **ONE_THREAD},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    outcome = Outcome(step, status, time.monotonic() - began)
    if status:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        console.print("\n".join(lines[-LAST_LINES:]), markup=False)
    console.print(f"<== {step.name}: {result(outcome)} after {outcome.seconds:.0f} s")
    return outcome


def result(outcome: Outcome) -> str:
    return f"FAILED (status {outcome.status})" if outcome.status else "passed"


def run_lane(lane: Lane) -> list[Outcome]:
    return [run(step) for step in lane]


def table(outcomes: Sequence[Outcome], seconds: float) -> Table:
    shown = Table("step", "result", "seconds")
    for outcome in outcomes:
        shown.add_row(outcome.step.name, result(outcome), f"{outcome.seconds:.0f}")
    shown.add_section()
    shown.add_row("all", "", f"{seconds:.0f}")
    return shown


def main(suite: str = "quick") -> int:
    """Run all lanes of a suite; the exit status is 0 only if every step passed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    why = reasons()
    left_out = [
        step.name
        for step in chain(*SUITES[suite])
        if (step.hosts and why["hosts"]) or (step.root and why["root"])
    ]
    lanes = [[s for s in lane if s.name not in left_out] for lane in SUITES[suite]]
    began = time.monotonic()
    with ThreadPoolExecutor(len(lanes)) as pool:
        outcomes = list(chain.from_iterable(pool.map(run_lane, lanes)))
    console.print(table(outcomes, time.monotonic() - began))
    if left_out:
        console.print(f"Left out: {', '.join(left_out)}. {why['hosts']}.")
    return 1 if any(outcome.status for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
