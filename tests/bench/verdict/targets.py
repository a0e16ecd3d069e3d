"""The targets of the project with their measurements, met or missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.verdict.cells import OURS, Cell, Count
from tests.bench.verdict.comparators import MATCHED
from tests.bench.verdict.tables import outcome, rate, table

Cells = dict[str, list[Cell]]


@dataclass(frozen=True, slots=True)
class Result:
    """One target: its text, its measurement, and whether it is met."""

    asked: str
    measured: str
    met: bool


def results(cells: Cells) -> list[Result]:
    """Return all targets for which there are cells."""
    checks = (_false_fails, _wrong_pass, _against_kayenta, _base_power, _late, _equal_pass)
    return [result for check in checks for result in check(cells)]


def page(cells: Cells) -> list[str]:
    """Return the targets as a table."""
    rows = (
        (result.asked, result.measured, "yes" if result.met else "**no**")
        for result in results(cells)
    )
    return table(("target", "measured", "met"), rows)


def _false_fails(cells: Cells) -> list[Result]:
    worlds = (("world A", "S", 0.01), ("world B, unseen", "B", 0.01))
    found = []
    for title, letter, limit in worlds:
        chosen = [cell for cell in cells["equal"] if cell.scenario.startswith(letter)]
        if chosen:
            worst = max(chosen, key=lambda cell: cell.alarms[OURS].share)
            count = worst.alarms[OURS]
            said = f"worst {worst.scenario} {worst.periods}: {rate(count)}"
            asked = f"family-wise false FAIL at most 1.0 % in every scenario of {title}"
            found.append(Result(asked, said, count.share <= limit))
    return found


def _wrong_pass(cells: Cells) -> list[Result]:
    found = []
    for words, limit in (("at the margin", 0.05), ("at twice the margin", 0.01)):
        chosen = [cell for cell in cells["margins"] if words in cell.harm]
        if chosen:
            worst = max(chosen, key=lambda cell: cell.cleared.share)
            said = f"worst {worst.scenario} {worst.periods} {worst.harm}: {rate(worst.cleared)}"
            asked = f"wrong PASS {words} at most {100 * limit:.0f} %, even by that metric alone"
            found.append(Result(asked, said, worst.cleared.share <= limit))
    return found


def _against_kayenta(cells: Cells) -> list[Result]:
    world_a = [cell for cell in cells["harmed"] if cell.scenario.startswith("S")]
    if not world_a:
        return []
    steady = [c for c in world_a if any(w in c.harm for w in ("latency", "p99", "cpu", "through"))]
    behind = [c for c in steady if outcome(c).startswith("lost")]
    far = [c for c in world_a if "!" in outcome(c)]
    return [
        Result(
            "ahead of size-matched Kayenta on latency, CPU and throughput in every cell",
            f"{len(steady) - len(behind)} of {len(steady)} ahead or level{_names(behind)}",
            not behind,
        ),
        Result(
            "in no cell more than 15 points less power than size-matched Kayenta",
            f"{len(far)} of {len(world_a)} cells{_names(far)}",
            not far,
        ),
    ]


def _names(cells: Sequence[Cell]) -> str:
    return "".join(
        f"; {c.scenario} {c.periods} {c.harm} "
        f"({100 * c.alarms[OURS].share:.0f} against {100 * c.alarms[MATCHED].share:.0f} %)"
        for c in cells[:6]
    )


BASE = (
    ("latency x1.10", 30, 0.99, 10),
    ("latency x1.25", 30, 0.99, 4),
    ("p99 tail x1.5", 30, 0.99, 4),
    ("5xx x5", 30, 0.99, 6),
    ("5xx x2", 30, 0.97, None),
    ("cpu x1.10", 60, 0.93, None),
)


def _base_power(cells: Cells) -> list[Result]:
    found = []
    for harm, periods, share, by in BASE:
        cell = _find(cells["harmed"], "S1", periods, harm)
        if cell:
            count = cell.alarms[OURS]
            late = by is not None and (count.median is None or count.median > by)
            asked = f"base: {harm} found in at least {100 * share:.0f} % within {periods}"
            asked += f", median at most {by}" if by else ""
            said = f"{rate(count)}, median {_median(count)}"
            found.append(Result(asked, said, count.share >= share and not late))
    return found


def _late(cells: Cells) -> list[Result]:
    found = []
    for harm in ("late latency x1.25", "late 5xx x5"):
        cell = _find(cells["late"], "S1", 60, harm)
        if cell:
            count = cell.within
            asked = f"base: {harm} (from half time) found in time in at least 95 %"
            if count is not None:
                found.append(Result(asked, rate(count), count.share >= 0.95))
    return found


def _equal_pass(cells: Cells) -> list[Result]:
    cell = _find(cells["equal"], "S1", 60, "none")
    if not cell:
        return []
    asked = "base: equal arms PASS within 60 in at least 90 %"
    return [Result(asked, rate(cell.passed), cell.passed.share >= 0.9)]


def _find(cells: Sequence[Cell], scenario: str, periods: int, harm: str) -> Cell | None:
    wanted = scenario, periods, harm
    return next((c for c in cells if (c.scenario, c.periods, c.harm) == wanted), None)


def _median(count: Count) -> str:
    return "-" if count.median is None else f"{count.median:g}"
