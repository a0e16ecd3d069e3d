"""Which cells the scoreboard has, and how many canaries each takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench.verdict import world_a, world_b
from tests.bench.verdict.ablations import PARTS, without
from tests.bench.verdict.cells import Cell, Count, false_alarms, power
from tests.bench.verdict.readings import HARMS, LATE, MARGINS, NONE

ROOT = Path(__file__).parents[3]
JUDGE = ("canary/judge", "canary/stats")
LENGTHS = (30, 60)
GRID = ("S1", "S2", "S3", "S4", *world_b.SCENARIOS)
EVERYWHERE = (*world_a.SCENARIOS, *world_b.SCENARIOS)
ABLATED = ("S1", "S4", "B1")
ABLATION_HARMS = tuple(
    harm for harm in (*HARMS, *LATE) if harm.name in {"latency x1.10", "5xx x2", "late 5xx x5"}
)


@dataclass(frozen=True, slots=True)
class Size:
    """Canaries per cell: of equal arms (ours, others), of harm, at a margin."""

    equal: int = 4000
    others: int = 1000
    harmed: int = 400
    margin: int = 1000


Section = dict[str, Cell]


def equal(size: Size) -> Iterator[Cell]:
    """Equal arms, in every scenario."""
    for scenario in EVERYWHERE:
        for periods in LENGTHS:
            yield false_alarms(scenario, periods, size.equal, size.others)


def harmed(size: Size) -> Iterator[Cell]:
    """Twelve harms from the start."""
    for scenario in GRID:
        for periods in LENGTHS:
            for harm in HARMS:
                yield power(scenario, periods, harm, size.harmed)


def late(size: Size) -> Iterator[Cell]:
    """Harm that starts at half time."""
    for scenario in GRID:
        for periods in LENGTHS:
            for harm in LATE:
                yield power(scenario, periods, harm, size.harmed)


def margins(size: Size) -> Iterator[Cell]:
    """Harm of one and two margins: how often it is passed."""
    for scenario in GRID:
        for periods in LENGTHS:
            for harm in MARGINS:
                yield power(scenario, periods, harm, size.margin, others=False)


def ablation(size: Size) -> Iterator[Cell]:
    """The judge without one of its parts; the part stands in the harm's name."""
    for part in PARTS:
        with without(part) as change:
            for scenario in ABLATED:
                for harm, runs in (
                    (NONE, size.margin),
                    *((h, size.harmed) for h in ABLATION_HARMS),
                ):
                    cell = power(scenario, 60, harm, runs, others=False, change=change)
                    yield replace(cell, harm=f"{part}: {harm.name}")


SECTIONS: dict[str, Callable[[Size], Iterator[Cell]]] = {
    "equal": equal,
    "harmed": harmed,
    "late": late,
    "margins": margins,
    "ablation": ablation,
}


def judge_digest() -> str:
    """What tells one version of the judge from another: a digest of its sources."""
    files = [file for part in JUDGE for file in sorted((ROOT / part).rglob("*.py"))]
    ours = [file for file in files if not file.name.startswith("kayenta")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in ours)).hexdigest()[:12]


def save(cells: list[Cell], path: Path) -> None:
    """Write cells so that `load` reads them back equal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"judge": judge_digest(), "cells": [asdict(cell) for cell in cells]}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> tuple[str, list[Cell]]:
    """The judge's digest and its cells as `save` wrote them; none where there is no file."""
    if not path.exists():
        return "", []
    document = json.loads(path.read_text(encoding="utf-8"))
    return document["judge"], [_cell(entry) for entry in document["cells"]]


def _cell(entry: dict[str, Any]) -> Cell:
    def counts(name: str) -> dict[str, Count]:
        return {key: Count(**value) for key, value in entry[name].items()}

    return Cell(
        entry["scenario"],
        entry["periods"],
        entry["harm"],
        counts("alarms"),
        counts("by_metric"),
        Count(**entry["passed"]),
        Count(**entry["cleared"]),
        counts("without_memory"),
        Count(**entry["within"]) if entry["within"] else None,
    )
