"""`python -m tests.bench.verdict.host_by_host`: judge world C host by host, as a canary is judged.

Each cell is a scenario, the size of its rehearsal, and a harm. A cell is measured once for each
version of the judge and cached, so a stopped run can continue later. The result is
docs/scoreboard-hosts.md.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click
import numpy as np

from canary.evidence.table import table_of
from canary.judge.shrinkage import Worth
from canary.judge.verdict import judge_table
from canary.learned import Calibration
from canary.model import Arm, Recording, Release, Series, Step, Verdict
from canary.offline.rehearse.measure import rehearse
from canary.policy import Policy
from tests.bench.verdict import world_c
from tests.bench.verdict.cells import Count, seed
from tests.bench.verdict.many_hosts import Fleet
from tests.bench.verdict.readings import HARMS, LATENCIES, METRICS, NONE, Floats, Harm, policy
from tests.support.paths import ROOT

PERIODS, START, MINUTE = 60, 1_200_000, 60
LOOKS = (*range(3, 16, 3), *range(20, PERIODS + 1, 5))
"""Periods after which a canary is judged. Each look takes about 30 ms."""
KEPT, PAGE = ROOT / ".run/bench/hosts", ROOT / "docs/scoreboard-hosts.md"
SIDES = ((Arm.CANDIDATE, "candidate"), (Arm.BASELINE, "baseline"))


@dataclass(frozen=True, slots=True)
class Job:
    """One cell; ``hit`` candidate hosts have the harm, None: all of them."""

    scenario: str
    windows: int
    harm: Harm = NONE
    hit: int | None = None

    @property
    def name(self) -> str:
        return f"{self.scenario} {self.windows} windows {self.harm.name}"


@dataclass(frozen=True, slots=True)
class Cell:
    """How often canaries failed and passed, and how often the finding named the bad host."""

    job: str
    failed: Count
    passed: Count
    named: Count


def jobs() -> Iterator[Job]:
    """Yield equal arms in every scenario and after every rehearsal, then harm."""
    for name in world_c.SCENARIOS:
        yield Job(name, 0)
    for name in ("C1", "C2", "C4", "C9", "C10"):
        for windows in world_c.REHEARSALS[1:]:
            yield Job(name, windows)
    by_name = {harm.name: harm for harm in HARMS}
    for name in ("p99 tail x1.5", "5xx x5", "cpu x1.10"):
        for scenario in ("C1", "C2"):
            yield Job(scenario, 0, by_name[name])
    for harm in world_c.ONE_BAD.values():
        yield Job("C3", 0, harm, hit=1)


def recordings(fleet: Fleet) -> Iterator[Recording]:
    """Yield every canary of a fleet as a recording."""
    times = tuple(START + MINUTE * period for period in range(PERIODS))
    for run in range(len(fleet.candidate["cpu"])):
        series, names = [], {}
        for arm, side in SIDES:
            data: dict[str, Floats] = getattr(fleet, side)
            names[arm] = tuple(f"{arm}-{host + 1}" for host in range(data["cpu"].shape[1]))
            series += [
                Series(
                    metric,
                    arm,
                    host,
                    times,
                    _column(data[metric][run, place]),
                    _column(data["throughput"][run, place]),
                    _column(data["spread"][run, place]) if metric in LATENCIES else (),
                )
                for metric in METRICS
                for place, host in enumerate(names[arm])
            ]
        yield Recording(
            environment="world C",
            period=MINUTE,
            baseline=Release("v1", "a" * 40, "blue", names[Arm.BASELINE]),
            candidate=Release("v2", "b" * 40, "green", names[Arm.CANDIDATE]),
            steps=(Step(START, fleet.share, 1 - fleet.share, equal_footing=True),),
            series=tuple(series),
            looks=tuple(time + MINUTE for time in times),
        )


def _column(row: Floats) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(x) else float(x) for x in row)


def learned(asked: Policy, job: Job, part: int) -> Calibration:
    """Return the calibration from a rehearsal of this many windows."""
    if not job.windows:
        return Calibration()
    size = (job.windows, PERIODS, seed("rehearse", job.name, part))
    windows = list(recordings(world_c.rehearsal(job.scenario, size)))
    hosts = 2 * world_c.SCENARIOS[job.scenario].hosts
    return rehearse(asked, windows, "bench", Worth(job.windows, hosts - 1)).calibration


PROMISED, SUREST = 0.01, 0.015
"""The highest share of false FAILs in a cell, and the highest upper limit of its interval."""
BATCH = 50
"""Canaries that share a rehearsal."""


def measure(job: Job, runs: int) -> Cell:
    """Judge each canary look by look until the first PASS or FAIL."""
    asked, scenario = policy(PERIODS), world_c.SCENARIOS[job.scenario]
    ends: dict[Verdict, list[int]] = {verdict: [] for verdict in Verdict}
    named = []
    for part in range(0, runs, BATCH):
        known = learned(asked, job, part)
        size = (min(BATCH, runs - part), PERIODS, seed("fleet", job.name, part))
        for recording in recordings(world_c.simulate(scenario, job.harm, size, job.hit)):
            verdict, look, reason = _walked(asked, recording, known)
            ends[verdict].append(look)
            if verdict is Verdict.FAIL and f"{Arm.CANDIDATE}-1" in reason:
                named.append(look)
    failed, passed = (_count(ends[v], runs) for v in (Verdict.FAIL, Verdict.PASS))
    return Cell(job.name, failed, passed, _count(named, runs))


def _walked(asked: Policy, recording: Recording, known: Calibration) -> tuple[Verdict, int, str]:
    table = table_of(asked, replace(recording, calibration=known))
    for look in LOOKS:
        said = judge_table(asked, table, START + MINUTE * look)
        if said.verdict is not Verdict.INCONCLUSIVE:
            return said.verdict, look, said.reason
    return Verdict.INCONCLUSIVE, 0, ""


def _count(looks: list[int], runs: int) -> Count:
    return Count(len(looks), runs, float(np.median(looks)) if looks else None)


def digest() -> str:
    """Return a digest of all code that decides verdicts, and of this world."""
    parts = [ROOT / "canary" / room for room in ("judge", "evidence", "stats")]
    files = sorted(path for part in parts for path in part.rglob("*.py"))
    files += [Path(world_c.__file__), Path(__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _kept(job: Job, runs: int) -> Cell:
    path = KEPT / digest() / f"{job.name.replace(' ', '-').replace(',', '')}-{runs}.json"
    if not path.exists():
        cell = measure(job, runs)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(cell)), encoding="utf-8")
    found = json.loads(path.read_text(encoding="utf-8"))
    return Cell(found.pop("job"), **{name: Count(**value) for name, value in found.items()})


def page(cells: list[Cell]) -> str:
    """Return the page of all cells."""
    lines = [
        "# Scoreboard: several hosts in each arm (world C)",
        "",
        "`python -m tests.bench.verdict.host_by_host` writes this page. World C was frozen before "
        "the judge was tuned for several hosts; its seeds are used for this page only. A canary "
        f"lasts {PERIODS} periods and is judged after {', '.join(map(str, LOOKS))} periods. "
        "Intervals are 95 %, Clopper-Pearson. `named`: the reason names the bad host.",
        "",
        *_summary(cells),
        "| cell | canaries | FAIL | median period | PASS | named |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for cell in cells:
        low, high = cell.failed.interval
        failed = f"{cell.failed.share:.1%} ({low:.1%} to {high:.1%})"
        median = "" if cell.failed.median is None else f"{cell.failed.median:g}"
        words = (cell.job, str(cell.failed.runs), failed, median, f"{cell.passed.share:.0%}")
        lines.append(f"| {' | '.join((*words, f'{cell.named.share:.0%}'))} |")
    return "\n".join(lines) + "\n"


def _summary(cells: list[Cell]) -> list[str]:
    """Return how often equal releases failed, and where that exceeds the promise."""
    equal = [cell for cell in cells if cell.job.endswith(f" {NONE.name}")]
    if not equal:
        return []
    failed, runs = (sum(getattr(cell.failed, part) for cell in equal) for part in ("hits", "runs"))
    low, high = Count(failed, runs).interval
    above = [f"{cell.job} ({cell.failed.hits})" for cell in equal if cell.failed.share > PROMISED]
    unsure = sum(cell.failed.interval[1] > SUREST for cell in equal)
    lines = [
        f"Equal releases failed in {failed} of {runs} canaries of {len(equal)} cells "
        f"({low:.1%} to {high:.1%}). At most {PROMISED:.0%} is promised for each cell.",
        f"More than that failed in: {', '.join(above)}."
        if above
        else "No cell had more than that.",
    ]
    if unsure:
        lines.append(
            f"In {unsure} cells the upper end is above {SUREST:.1%}: too few canaries to tell."
        )
    return [" ".join(lines), ""]


@click.command(help=__doc__)
@click.option("--runs", default=200, help="Canaries per cell.")
@click.option("--only", default="", help="Cells whose name contains one of these, by comma.")
@click.option("--jobs", "workers", default=1, help="Cells measured at a time, a process each.")
def main(*, runs: int, only: str, workers: int) -> None:
    wanted = [job for job in jobs() if any(word in job.name for word in only.split(","))]
    began, cells = time.monotonic(), []
    with ProcessPoolExecutor(workers) as pool:
        for cell in pool.map(_kept, wanted, [runs] * len(wanted)):
            cells.append(cell)
            passed, failed = f"PASS {cell.passed.share:.0%}", f"FAIL {cell.failed.share:.1%}"
            click.echo(f"{time.monotonic() - began:6.0f} s  {cell.job:40} {failed} {passed}")
    PAGE.write_text(page(cells), encoding="utf-8")


if __name__ == "__main__":
    main()
