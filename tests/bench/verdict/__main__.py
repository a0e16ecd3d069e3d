"""`python -m tests.bench.verdict`: compare the judge with others and write the scoreboard."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import click

from tests.bench.verdict.cells import OURS, TITLES, Cell, power
from tests.bench.verdict.export import cells_csv
from tests.bench.verdict.picture import draw
from tests.bench.verdict.plan import SECTIONS, Job, Size, jobs, judge_digest, known, measured
from tests.bench.verdict.readings import HARMS, NONE
from tests.bench.verdict.scoreboard import render
from tests.bench.verdict.tables import found, rate
from tests.support.paths import ROOT

SMOKE = {"latency x1.25": 0.95, "5xx x5": 0.95}
SMOKE_LIMIT = 0.01


@click.command(help=__doc__)
@click.option("--smoke", is_flag=True, help="500 canaries in all; exit 1 if the judge is off.")
@click.option("--section", "chosen", multiple=True, type=click.Choice(list(SECTIONS)))
@click.option("--scenario", "scenarios", multiple=True, type=click.Choice(list(TITLES)))
@click.option("--harm", "harms", multiple=True, help="Measure cells of this harm only: '5xx x2'.")
@click.option("--scale", default=1.0, help="Canaries per cell, as a share of the full number.")
@click.option("--alone", is_flag=True, help="Without the other rules, where harm is done.")
@click.option("--jobs", "workers", default=1, help="Cells measured at a time, a process each.")
@click.option(
    "--render", "only_render", is_flag=True, help="Write page and cells from what is saved."
)
@click.option(
    "--cells", default=ROOT / ".run" / "bench" / "verdict", type=click.Path(path_type=Path)
)
@click.option("--docs", default=ROOT / "docs", type=click.Path(path_type=Path))
def main(
    *,
    smoke: bool,
    chosen: tuple[str, ...],
    scenarios: tuple[str, ...],
    harms: tuple[str, ...],
    scale: float,
    alone: bool,
    workers: int,
    only_render: bool,
    cells: Path,
    docs: Path,
) -> None:
    """Measure, then write the page, the cells and the picture."""
    if smoke:
        sys.exit(0 if _smoke() else 1)
    folder = cells / judge_digest()
    if not only_render:
        wanted = [
            job for name in chosen or SECTIONS for job in jobs(name, _size(scale, alone=alone))
        ]
        wanted = [job for job in wanted if job.scenario in (scenarios or TITLES)]
        _measure([job for job in wanted if not harms or job.harm.name in harms], folder, workers)
    found_cells = {section: known(section, folder) for section in SECTIONS}
    (docs / "scoreboard.md").write_text(render(found_cells, judge_digest()), encoding="utf-8")
    (docs / "scoreboard.csv").write_text(cells_csv(found_cells), encoding="utf-8")
    if found_cells["equal"] and found_cells["harmed"]:
        draw(found_cells["equal"], found_cells["harmed"], docs / "images" / "scoreboard.png")


def _size(scale: float, *, alone: bool) -> Size:
    full = Size()
    scaled = {name: max(int(scale * n), 20) for name, n in asdict(full).items()}
    return Size(**scaled | {"beside": 0 if alone else full.beside})


def _measure(wanted: list[Job], folder: Path, workers: int) -> None:
    """Measure the missing cells. A stopped run continues later."""
    began = time.monotonic()
    context = get_context("spawn")  # an ablation patches the judge: only in its own process
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting = {pool.submit(measured, job, folder): job for job in wanted}
        for done in as_completed(waiting):
            job, cell = waiting[done], done.result()
            click.echo(
                f"{time.monotonic() - began:6.0f} s  {job.section:8} {_said(cell)}",
            )


def _said(cell: Cell) -> str:
    ours = f"FAIL {rate(cell.alarms[OURS])}  PASS {found(cell.passed)}"
    return f"{cell.scenario} {cell.periods} {cell.harm:28} {ours}"


def _smoke() -> bool:
    """Run 300 canaries of equal arms, and 100 each of two obvious harms."""
    cell = power("S1", 30, NONE, 300)
    count = cell.alarms[OURS]
    fine = count.interval[0] <= SMOKE_LIMIT
    click.echo(f"false FAIL {rate(count)}, allowed {SMOKE_LIMIT:.0%}: {'ok' if fine else 'FAILED'}")
    for harm in HARMS:
        if harm.name in SMOKE:
            count = power("S1", 30, harm, 100).alarms[OURS]
            enough = count.share >= SMOKE[harm.name]
            click.echo(f"{harm.name} {found(count)}: {'ok' if enough else 'FAILED'}")
            fine = fine and enough
    return fine


if __name__ == "__main__":
    main()
