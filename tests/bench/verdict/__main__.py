"""`python -m tests.bench.verdict`: measure the judge beside others and write the scoreboard."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from tests.bench.verdict.cells import OURS, Cell, false_alarms, power
from tests.bench.verdict.picture import draw
from tests.bench.verdict.plan import ROOT, SECTIONS, Size, load, save
from tests.bench.verdict.readings import HARMS
from tests.bench.verdict.scoreboard import render
from tests.bench.verdict.tables import found, rate

SMOKE = {"latency x1.25": 0.95, "5xx x5": 0.95}
SMOKE_LIMIT = 0.01


@click.command(help=__doc__)
@click.option("--smoke", is_flag=True, help="500 canaries in all; exit 1 if the judge is off.")
@click.option("--section", "chosen", multiple=True, type=click.Choice(list(SECTIONS)))
@click.option("--scale", default=1.0, help="Canaries per cell, as a share of the full number.")
@click.option("--render", "only_render", is_flag=True, help="Write the page from saved cells.")
@click.option(
    "--cells", default=ROOT / ".run" / "bench" / "verdict", type=click.Path(path_type=Path)
)
@click.option("--docs", default=ROOT / "docs", type=click.Path(path_type=Path))
def main(
    *,
    smoke: bool,
    chosen: tuple[str, ...],
    scale: float,
    only_render: bool,
    cells: Path,
    docs: Path,
) -> None:
    """Measure, then write the page and its picture."""
    if smoke:
        sys.exit(0 if _smoke() else 1)
    if not only_render:
        for section in chosen or tuple(SECTIONS):
            _measure(section, _size(scale), cells / f"{section}.json")
    loaded = {section: load(cells / f"{section}.json") for section in SECTIONS}
    measured = {section: found for section, (_, found) in loaded.items()}
    judges = {section: digest for section, (digest, found) in loaded.items() if found}
    (docs / "scoreboard.md").write_text(render(measured, judges), encoding="utf-8")
    if measured["equal"] and measured["harmed"]:
        draw(measured["equal"], measured["harmed"], docs / "images" / "scoreboard.png")


def _size(scale: float) -> Size:
    full = Size()
    return Size(
        *(max(int(scale * n), 20) for n in (full.equal, full.others, full.harmed, full.margin))
    )


def _measure(section: str, size: Size, path: Path) -> None:
    cells: list[Cell] = []
    began = time.monotonic()
    for cell in SECTIONS[section](size):
        cells.append(cell)
        save(cells, path)
        click.echo(
            f"{time.monotonic() - began:6.0f} s  {section:8} {cell.scenario} {cell.periods} "
            f"{cell.harm:28} FAIL {rate(cell.alarms[OURS])}  PASS {found(cell.passed)}"
        )


def _smoke() -> bool:
    """300 canaries of equal arms, 100 each of two harms nobody may miss."""
    cell = false_alarms("S1", 30, 300, 0)
    count = cell.alarms[OURS]
    fine = count.interval[0] <= SMOKE_LIMIT
    click.echo(f"false FAIL {rate(count)}, allowed {SMOKE_LIMIT:.0%}: {'ok' if fine else 'FAILED'}")
    for harm in HARMS:
        if harm.name in SMOKE:
            count = power("S1", 30, harm, 100, others=False).alarms[OURS]
            enough = count.share >= SMOKE[harm.name]
            click.echo(f"{harm.name} {found(count)}: {'ok' if enough else 'FAILED'}")
            fine = fine and enough
    return fine


if __name__ == "__main__":
    main()
