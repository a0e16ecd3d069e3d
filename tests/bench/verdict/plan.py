"""The plan of the scoreboard: its cells, their canaries, and the saved measurements."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench.verdict import world_a, world_b
from tests.bench.verdict.ablations import PARTS, without
from tests.bench.verdict.cells import OURS, Cell, Count, power
from tests.bench.verdict.others import kept, others
from tests.bench.verdict.readings import HARMS, LATE, MARGINS, NONE, Harm
from tests.support.paths import ROOT

LENGTHS = (30, 60)
GRID = ("S1", "S2", "S3", "S4", *world_b.SCENARIOS)
EVERYWHERE = (*world_a.SCENARIOS, *world_b.SCENARIOS)
ABLATED = ("S1", "S4", "B1")
ABLATION_HARMS = tuple(
    harm for harm in (*HARMS, *LATE) if harm.name in {"latency x1.10", "5xx x2", "late 5xx x5"}
)
WHOLE = PARTS[0]


@dataclass(frozen=True, slots=True)
class Size:
    """Canaries per cell: equal arms, harm, harm at a margin; and those for the other rules."""

    equal: int = 4000
    others: int = 1000
    harmed: int = 400
    beside: int = 100
    margin: int = 1000


@dataclass(frozen=True, slots=True)
class Job:
    """One cell to be measured. ``part`` is the part that an ablation removes."""

    section: str
    scenario: str
    periods: int
    harm: Harm
    runs: int
    others: int = 0
    part: str = WHOLE

    @property
    def file(self) -> str:
        """The name of the file with the measurement."""
        alone = self.section in ("harmed", "late") and not self.others
        return self._file(self.runs, "alone" if alone else "")

    def _file(self, runs: int, end: str = "") -> str:
        words = (self.section, self.scenario, self.periods, self.part, self.harm.name, runs, end)
        return re.sub(r"[^a-z0-9.]+", "-", "-".join(map(str, words)).lower()).strip("-") + ".json"

    def measure(self, folder: Path) -> Cell:
        """Simulate and judge. The other rules' results are cached in ``folder``."""
        if self.section == "ablation":
            with without(self.part) as change:
                cell = power(self.scenario, self.periods, self.harm, self.runs, change=change)
            return replace(cell, harm=f"{self.part}: {self.harm.name}")
        cell = power(self.scenario, self.periods, self.harm, self.runs)
        return _beside(cell, self._others(folder)) if self.others else cell

    def _others(self, folder: Path) -> Cell:
        where = self.scenario, self.periods, self.harm, self.others, folder
        return _cell(
            kept(folder / self._file(self.others), lambda: asdict(others(*where, of=self.runs)))
        )


def _beside(cell: Cell, other: Cell) -> Cell:
    """Return the cell with the other rules' results added."""
    return replace(
        cell,
        alarms=cell.alarms | other.alarms,
        by_metric=cell.by_metric | other.by_metric,
        without_memory=cell.without_memory | other.without_memory,
    )


def jobs(section: str, size: Size) -> Iterator[Job]:
    """Yield the cells of one section."""
    if section == "equal":
        for periods in LENGTHS:
            for scenario in EVERYWHERE:
                yield Job(section, scenario, periods, NONE, size.equal, size.others)
        return
    if section == "ablation":
        yield from _ablations(size)
        return
    harms = {"harmed": HARMS, "late": LATE, "margins": MARGINS}[section]
    runs = size.margin if section == "margins" else size.harmed
    for scenario in GRID:
        for periods in LENGTHS:
            for harm in harms:
                beside = 0 if section == "margins" else size.beside
                yield Job(section, scenario, periods, harm, runs, min(beside, runs))


def _ablations(size: Size) -> Iterator[Job]:
    for part in PARTS:
        for scenario in ABLATED:
            yield Job("ablation", scenario, 60, NONE, size.margin, part=part)
            for harm in ABLATION_HARMS:
                yield Job("ablation", scenario, 60, harm, size.harmed, part=part)


SECTIONS = ("equal", "harmed", "late", "margins", "ablation")


def judge_digest() -> str:
    """Return a digest of the code of the judge that can change a cell.

    This is the code that judges thousands of runs, and all its imports. Sentences, absolute limits
    and Kayenta's rules cannot change a cell.
    """
    found: dict[str, bytes] = {}
    waiting = ["canary.judge.batch"]
    while waiting:
        name = waiting.pop()
        path = ROOT / f"{name.replace('.', '/')}.py"
        if name not in found and path.is_file():
            found[name] = path.read_bytes()
            waiting += re.findall(r"^from (canary\.(?:judge|stats)\.\w+) ", path.read_text(), re.M)
    return hashlib.sha256(b"".join(found[name] for name in sorted(found))).hexdigest()[:12]


def measured(job: Job, folder: Path) -> Cell:
    """Measure a cell, or read it if it was measured before with as many canaries."""
    return _cell(kept(folder / job.file, lambda: asdict(job.measure(folder.parent / "others"))))


def known(section: str, folder: Path) -> list[Cell]:
    """Return all measured cells of a section in the order of its jobs, each with most canaries."""
    best: dict[tuple[str, int, str], Cell] = {}
    for path in sorted(folder.glob(f"{section}-*.json")):
        cell = _cell(json.loads(path.read_text(encoding="utf-8")))
        key = cell.scenario, cell.periods, cell.harm
        if key not in best or _worth(best[key]) < _worth(cell):
            best[key] = cell
    return [best[key] for key in _keys(section) if key in best]


def _keys(section: str) -> Sequence[tuple[str, int, str]]:
    found = []
    for job in jobs(section, Size()):
        name = f"{job.part}: {job.harm.name}" if section == "ablation" else job.harm.name
        found.append((job.scenario, job.periods, name))
    if section == "equal":  # measured by length, shown by scenario
        found.sort(key=lambda key: EVERYWHERE.index(key[0]))
    return found


def _worth(cell: Cell) -> tuple[int, int]:
    return cell.alarms[OURS].runs, len(cell.alarms)


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
