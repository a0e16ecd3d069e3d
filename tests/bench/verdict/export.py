"""The scoreboard's cells as CSV: a row for each counted number."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from tests.bench.verdict.cells import OURS, Cell, Count
from tests.bench.verdict.readings import METRICS

COLUMNS = (
    "section",
    "scenario",
    "periods",
    "harm",
    "rule",
    "metric",
    "event",
    "canaries",
    "percent",
    "low",
    "high",
    "median_period",
)
ALL = "all"
Row = tuple[str, str, str, Count]
"""The rule, the metric (or a group of metrics), the event, and its count."""


def cells_csv(cells: Mapping[str, Sequence[Cell]]) -> str:
    """Return every cell of every section, losses included."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for section, found in cells.items():
        for cell in found:
            where = (section, cell.scenario, cell.periods, cell.harm)
            for rule, metric, event, count in _counts(section, cell):
                rows.writerow((*where, rule, metric, event, *numbers(count)))
    return text.getvalue()


def numbers(count: Count) -> tuple[str, ...]:
    """Return the number of canaries, the share in percent, its 95 % interval, the median period."""
    low, high = count.interval
    percents = (f"{100 * share:.3g}" for share in (count.share, low, high))
    return (str(count.runs), *percents, "" if count.median is None else f"{count.median:g}")


def _counts(section: str, cell: Cell) -> Iterator[Row]:
    """Yield the alarms of every rule; for ours also those of each metric, PASSes, timely FAILs."""
    for rule, count in cell.alarms.items():
        yield rule, ALL, "alarm", count
    if section == "equal":
        yield from _equal(cell)
    if section in ("equal", "harmed"):
        yield OURS, ALL, "PASS", cell.passed
    if section in ("late", "margins"):
        yield OURS, "affected", "PASS", cell.cleared
    if cell.within is not None:
        yield OURS, ALL, "alarm in time", cell.within


def _equal(cell: Cell) -> Iterator[Row]:
    for rule, count in cell.without_memory.items():
        yield rule, "all but memory", "alarm", count
    for name in METRICS:
        found = cell.by_metric.get(f"{OURS}|{name}")
        if found is not None:
            yield OURS, name, "alarm", found
    yield OURS, ALL, "INCONCLUSIVE", undecided(cell)


def undecided(cell: Cell) -> Count:
    """Count the canaries that neither passed nor failed; one that did both may count twice."""
    runs = cell.passed.runs
    return Count(max(runs - cell.passed.hits - cell.alarms[OURS].hits, 0), runs)
