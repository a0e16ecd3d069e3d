"""The tables of the scoreboard's page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.bench.verdict.cells import OURS, TITLES, Cell, Count
from tests.bench.verdict.comparators import ARGO, EVERY, FLAGGER, MATCHED, STRICT

TOLERANCE = 0.05
MUCH = 0.15


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def rate(count: Count | None) -> str:
    """Return a share with its 95 % Clopper-Pearson interval."""
    if count is None:
        return "-"
    low, high = count.interval
    return f"{_pc(count.share)} ({_pc(low)} to {_pc(high)})"


def found(count: Count | None) -> str:
    """Return a share, and the median period of its events."""
    if count is None:
        return "-"
    return f"{100 * count.share:.0f} %" + (f" @{count.median:.0f}" if count.median else "")


def _pc(share: float) -> str:
    value = 100 * share
    return (
        f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %" if value >= 1 else f"{value:.2f} %"
    )


def scenarios(cells: Sequence[Cell]) -> list[str]:
    """Return the results of equal releases, one row per scenario: false alarms, then our PASSes."""
    head = (
        "equal releases",
        "ours, 30 periods",
        "ours, 60",
        "Kayenta, 60",
        "Kayenta at 99.5 %, 60",
        "size-matched, 60",
        "our PASSes by 30",
        "by 60",
    )
    by_key = {(cell.scenario, cell.periods): cell for cell in cells}
    rows = []
    for name in dict.fromkeys(cell.scenario for cell in cells):
        short, long = by_key.get((name, 30)), by_key.get((name, 60))
        ours = (rate(_alarms(cell, OURS)) for cell in (short, long))
        others = (_short(_alarms(long, rule)) for rule in (EVERY, STRICT, MATCHED))
        passes = (_passed(cell) for cell in (short, long))
        rows.append((TITLES[name], *ours, *others, *passes))
    return table(head, rows)


def _alarms(cell: Cell | None, rule: str) -> Count | None:
    return None if cell is None else cell.alarms.get(rule)


def _short(count: Count | None) -> str:
    return "-" if count is None else _pc(count.share)


def _passed(cell: Cell | None) -> str:
    """Return the share that passed, and the median period of the PASS."""
    if cell is None:
        return "-"
    return _pc(cell.passed.share) + (f" @{cell.passed.median:.0f}" if cell.passed.median else "")


POWER_RULES = (EVERY, STRICT, MATCHED, ARGO[1], FLAGGER)


def power(cells: Sequence[Cell]) -> list[str]:
    """Return power and median period of detection, on the metrics that a harm affects."""
    names = ("Kayenta", "at 99.5 %", "size-matched", "Argo", "Flagger")
    head = ("harm", "**ours**", "wrong PASS", *names, "against size-matched")
    rows = []
    for cell in cells:
        others = (found(cell.alarms.get(rule)) for rule in POWER_RULES)
        ours = f"**{found(cell.alarms[OURS])}**"
        rows.append((cell.harm, ours, _pc(cell.passed.share), *others, outcome(cell)))
    return table(head, rows)


def outcome(cell: Cell, rule: str = MATCHED) -> str:
    """Return won for over 5 points more power, or as much and faster; lost for the reverse."""
    ours, other = cell.alarms[OURS], cell.alarms.get(rule)
    if other is None:
        return "-"
    gap = ours.share - other.share
    if abs(gap) > TOLERANCE:
        word = "won" if gap > 0 else "lost"
        return f"{word} {100 * gap:+.0f}" + (" **!**" if gap < -MUCH else "")
    if ours.median == other.median:
        return "tied"
    if ours.median is None or other.median is None:
        return "won" if other.median is None else "lost"
    return "won" if ours.median < other.median else "lost by time"


def summary(cells: Sequence[Cell]) -> list[str]:
    """Return the cells won and lost by kind of metric, and those lost by more than 15 points."""
    kinds = {
        "latency": ("latency", "p99"),
        "errors and checkouts": ("5xx", "4xx", "checkouts"),
        "cpu and throughput": ("cpu", "throughput"),
        "leak": ("leak",),
    }
    rows = []
    for rule in (MATCHED, STRICT):
        for kind, words in kinds.items():
            outcomes = [outcome(c, rule) for c in cells if any(word in c.harm for word in words)]
            counts = (sum(o.startswith(word) for o in outcomes) for word in ("won", "lost", "tied"))
            much = sum("!" in o for o in outcomes)
            rows.append((rule, kind, str(len(outcomes)), *map(str, counts), str(much)))
    return table(
        ("against", "kind", "cells", "won", "lost", "tied", "lost by over 15 points"), rows
    )


def ablation(cells: Sequence[Cell]) -> list[str]:
    """Return false alarms and power without each part."""
    parts = list(dict.fromkeys(cell.harm.split(": ")[0] for cell in cells))
    columns = list(dict.fromkeys((c.scenario, c.harm.split(": ")[1]) for c in cells))
    by_key = {(c.scenario, *c.harm.split(": ")): c for c in cells}
    head = ("judge", *(f"{s} {'A/A' if harm == 'none' else harm}" for s, harm in columns))
    rows = []
    for part in parts:
        row = [part]
        for scenario, harm in columns:
            cell = by_key.get((scenario, part, harm))
            count = cell.alarms[OURS] if cell else None
            row.append(rate(count) if count and harm == "none" else found(count))
        rows.append(row)
    return table(head, rows)
