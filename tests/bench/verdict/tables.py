"""The scoreboard as Markdown: every cell, losses included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.bench.verdict.cells import OURS, TITLES, Cell, Count
from tests.bench.verdict.comparators import ARGO, AT_END, EVERY, FLAGGER, MATCHED, STRICT
from tests.bench.verdict.readings import METRICS

TOLERANCE = 0.05
MUCH = 0.15


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def rate(count: Count | None) -> str:
    """A share with its 95 % Clopper-Pearson interval."""
    if count is None:
        return "-"
    low, high = count.interval
    return f"{_pc(count.share)} ({_pc(low)} to {_pc(high)})"


def found(count: Count | None) -> str:
    """A share, and the median period at which it was found."""
    if count is None:
        return "-"
    return f"{100 * count.share:.0f} %" + (f" @{count.median:.0f}" if count.median else "")


def _pc(share: float) -> str:
    value = 100 * share
    return (
        f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %" if value >= 1 else f"{value:.2f} %"
    )


def false_alarms(cells: Sequence[Cell]) -> list[str]:
    """Family-wise false alarms of every rule; others also without the memory metric."""
    rules = list(cells[0].alarms) if cells else []
    head = ("rule", *(f"{cell.scenario} {cell.periods}" for cell in cells))
    rows = []
    for rule in rules:
        show = rate if rule == OURS else _short
        name = f"**{rule}**" if rule == OURS else rule
        rows.append((name, *(show(cell.alarms.get(rule)) for cell in cells)))
        if rule in (EVERY, STRICT):
            calm = (_short(cell.without_memory.get(rule)) for cell in cells)
            rows.append((f"{rule}, without memory", *calm))
    return table(head, rows)


def _short(count: Count | None) -> str:
    return "-" if count is None else _pc(count.share)


def by_metric(cells: Sequence[Cell]) -> list[str]:
    """Our false alarms, metric by metric."""
    head = ("metric", *(f"{cell.scenario} {cell.periods}" for cell in cells))
    return table(
        head,
        (
            (name, *(_short(cell.by_metric.get(f"{OURS}|{name}")) for cell in cells))
            for name in METRICS
        ),
    )


def mixes(cells: Sequence[Cell]) -> list[str]:
    """What our judge ends equal arms with."""
    head = ("scenario", "periods", "canaries", "PASS", "at period", "FAIL", "INCONCLUSIVE")
    rows = []
    for cell in cells:
        fail, passed = cell.alarms[OURS], cell.passed
        # A FAIL after a PASS has ended the canary does not count against it.
        failed = min(fail.hits, fail.runs - passed.hits)
        rest = 1 - (failed + passed.hits) / fail.runs
        median = f"{passed.median:.0f}" if passed.median else "-"
        numbers = (_pc(passed.share), median, _pc(failed / fail.runs), _pc(max(rest, 0.0)))
        rows.append((TITLES[cell.scenario], str(cell.periods), str(fail.runs), *numbers))
    return table(head, rows)


POWER_RULES = (AT_END, EVERY, STRICT, MATCHED, ARGO[1], FLAGGER)


def power(cells: Sequence[Cell]) -> list[str]:
    """Power and median period of detection, on the metrics that a harm affects."""
    names = ("Kayenta @T", "every period", "at 99.5 %", "size-matched", "Argo 3", "Flagger")
    head = ("sc", "T", "harm", "canaries", *names, "**ours**", "wrong PASS", "against size-matched")
    rows = []
    for cell in cells:
        others = (found(cell.alarms.get(rule)) for rule in POWER_RULES)
        ours = f"**{found(cell.alarms[OURS])}**"
        ends = (ours, _pc(cell.passed.share), outcome(cell))
        runs = str(cell.alarms[OURS].runs)
        rows.append((cell.scenario, str(cell.periods), cell.harm, runs, *others, *ends))
    return table(head, rows)


def late(cells: Sequence[Cell]) -> list[str]:
    """Harm that starts at half time: found at all, in the time set for it, and passed before."""
    head = ("sc", "T", "harm", "canaries", "size-matched", "**ours**", "in time", "passed first")
    rows = []
    for cell in cells:
        ours = cell.alarms[OURS]
        answers = (found(cell.alarms.get(MATCHED)), f"**{found(ours)}**", rate(cell.within))
        where = cell.scenario, str(cell.periods), cell.harm, str(ours.runs)
        rows.append((*where, *answers, found(cell.cleared)))
    return table(head, rows)


def outcome(cell: Cell, rule: str = MATCHED) -> str:
    """Won: over 5 points more power, or as much and faster; lost is the reverse."""
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
    """Cells won and lost by kind of metric, and those lost by more than 15 points."""
    kinds = {
        "latency": ("latency", "p99"),
        "errors and checkouts": ("5xx", "4xx", "checkouts"),
        "cpu and throughput": ("cpu", "throughput"),
        "leak": ("leak",),
    }
    rows = []
    for rule in (MATCHED, STRICT, EVERY):
        for kind, words in kinds.items():
            outcomes = [outcome(c, rule) for c in cells if any(word in c.harm for word in words)]
            counts = (sum(o.startswith(word) for o in outcomes) for word in ("won", "lost", "tied"))
            much = sum("!" in o for o in outcomes)
            rows.append((rule, kind, str(len(outcomes)), *map(str, counts), str(much)))
    return table(
        ("against", "kind", "cells", "won", "lost", "tied", "lost by over 15 points"), rows
    )


def margins(cells: Sequence[Cell]) -> list[str]:
    """Wrong PASSes at one and two margins."""
    head = ("sc", "T", "harm", "canaries", "wrong PASS", "FAIL")
    return table(
        head,
        (
            (
                c.scenario,
                str(c.periods),
                c.harm,
                str(c.cleared.runs),
                rate(c.cleared),
                found(c.alarms[OURS]),
            )
            for c in cells
        ),
    )


def ablation(cells: Sequence[Cell]) -> list[str]:
    """False alarms and power without each part."""
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
