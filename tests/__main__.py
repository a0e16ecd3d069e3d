"""Run the tests: ``python -m tests`` is what ``make test`` runs, ``python -m tests long`` the rest.

Lanes run in parallel and take about equally long: one waits for hosts while the others use the
processors. Each step writes to ``.run/tests/STEP.log``.

With CART_CANARY_SECOND_TRY=1 in the environment, as in ``.ci/run``, the files of tests that failed
with real servers or hosts run once more after all lanes, with nothing beside them. The last lines
name every test that failed, because a test that needs a second try must be fixed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local_cloud.preflight import cannot_boot
from local_cloud.settings import Settings
from tests.support import second_try
from tests.support.paths import ROOT

LOGS = ROOT / ".run/tests"
LAST_LINES = 60
LONGEST_LINE = 300
FAILURES = re.compile(r"=+ FAILURES =+")
FAILED_TEST = re.compile(r"(FAILED|ERROR) tests/")
#: pytest's exit status when all tests were run and some failed.
TESTS_FAILED = 1
QUICK, LONG = ("-m", "not long"), ("-m", "long and not rare")
PARALLEL, BY_MODULE = ("-n", "auto"), ("-n", "3", "--dist", "loadscope")
IN_ORDER = "--no-loadscope-reorder"
"""Of modules, begin with the first by name. By default, that with the most tests begins."""
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Step:
    """A command, and whether it needs root or booted hosts."""

    name: str
    command: tuple[str, ...]
    root: bool = False
    hosts: bool = False


@dataclass(frozen=True)
class Outcome:
    step: Step
    status: int
    seconds: float
    again: tuple[str, ...] = ()
    """The files of tests that passed only in the second try."""


Lane = Sequence[Step]
SUITES: dict[str, tuple[Lane, ...]] = {
    "quick": (
        [Step("e2e", ("pytest", "tests/e2e", *QUICK), hosts=True)],
        [Step("lint", ("nice", "make", "--no-print-directory", "lint"))],
        [
            Step("unit", ("nice", "pytest", "tests/unit", *QUICK, *PARALLEL)),
            Step(
                "processes", ("pytest", "tests/processes", *QUICK, *BY_MODULE, IN_ORDER), root=True
            ),
        ],
    ),
    "long": (
        [Step("e2e-long", ("pytest", "tests/e2e", *LONG), hosts=True)],
        [
            Step("processes-long", ("pytest", "tests/processes", *LONG, *BY_MODULE), root=True),
            Step("hosts", ("pytest", "tests/hosts", "-m", "not rare"), hosts=True),
        ],
        [
            Step("molecule", (sys.executable, "-m", "tests.molecule"), hosts=True),
            Step("unit-long", ("nice", "pytest", "tests/unit", *LONG, *PARALLEL)),
            Step("sanity", ("nice", sys.executable, "-m", "tests.sanity")),
        ],
    ),
}


def reasons() -> dict[str, str]:
    """Return why steps that need hosts or root cannot run here; empty strings if they can."""
    hosts = cannot_boot(Settings.load())
    root = "" if sys.platform == "linux" and os.geteuid() == 0 else hosts
    return {"hosts": hosts, "root": root}


def run(step: Step) -> Outcome:
    console.print(f"==> {step.name}: {' '.join(step.command)}")
    began = time.monotonic()
    log = LOGS / f"{step.name}.log"
    shutil.rmtree(cache(step), ignore_errors=True)
    command = (*step.command, *options(step))
    with log.open("wb") as output:
        status = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **ONE_THREAD},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    outcome = Outcome(step, status, time.monotonic() - began)
    if status:
        console.print("\n".join(excerpt(log)), markup=False)
    console.print(f"<== {step.name}: {result(outcome)} after {outcome.seconds:.0f} s")
    return outcome


def excerpt(log: Path) -> list[str]:
    """Return the most useful part of a log: pytest's first failure, else the last lines."""
    lines = lines_of(log)
    begins = next((at for at, line in enumerate(lines) if FAILURES.match(line)), len(lines))
    return lines[begins : begins + LAST_LINES] or lines[-LAST_LINES:]


def failed_tests(step: Step) -> list[str]:
    """Return pytest's line for each test of a step that failed, in their order."""
    lines = lines_of(LOGS / f"{step.name}.log")
    return [line[:LONGEST_LINE] for line in lines if FAILED_TEST.match(line)]


def lines_of(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()


def options(step: Step) -> tuple[str, ...]:
    """Return more options for pytest: a separate cache, short tracebacks, the slowest tests."""
    if step.command[0] != "pytest":
        return ()
    slowest = ("--durations=30", "--durations-min=5")
    return ("-o", f"cache_dir={cache(step)}", "--tb=short", *slowest)


def result(outcome: Outcome) -> str:
    if outcome.status:
        return f"FAILED (status {outcome.status})"
    return "passed, with a second try" if outcome.again else "passed"


def cache(step: Step) -> Path:
    """Return the directory of pytest's cache of failed tests, which each step has for itself."""
    return LOGS / f"{step.name}.cache"


def failed_files(step: Step) -> tuple[str, ...]:
    """Return the files of the tests that failed, if these tests run with real servers or hosts."""
    known = cache(step) / "v/cache/lastfailed"
    if not (step.hosts or step.root) or not known.exists():
        return ()
    tests = json.loads(known.read_text(encoding="utf-8"))
    return tuple(sorted({test.partition("::")[0] for test in tests}))


def tried_again(outcome: Outcome) -> Outcome:
    """Run the files of failed tests once more, and return an outcome that says so."""
    files = failed_files(outcome.step) if outcome.status == TESTS_FAILED else ()
    if not files:
        return outcome
    pytest, _, *marks = outcome.step.command
    step = replace(
        outcome.step, name=f"{outcome.step.name}-again", command=(pytest, *files, *marks)
    )
    again = run(step)
    seconds = outcome.seconds + again.seconds
    return Outcome(outcome.step, again.status, seconds, () if again.status else files)


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
    """Run all lanes of a suite. The exit status is 0 only if every step passed."""
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
    if second_try.wanted():
        outcomes = [tried_again(outcome) for outcome in outcomes]
    console.print(table(outcomes, time.monotonic() - began))
    for outcome in outcomes:
        for line in failed_tests(outcome.step):
            console.print(line, markup=False)
        for path in outcome.again:
            console.print(f"Failed first, and passed alone: {path}")
    if left_out:
        console.print(f"Left out: {', '.join(left_out)}. {why['hosts']}.")
    return 1 if any(outcome.status for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
