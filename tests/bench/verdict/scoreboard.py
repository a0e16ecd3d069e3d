"""The page `docs/scoreboard.md`, from the cells alone."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.verdict import tables, targets
from tests.bench.verdict.cells import BATCH, OURS, SMALL_BATCH, TITLES, WINDOWS, Cell
from tests.bench.verdict.plan import Size, jobs
from tests.bench.verdict.readings import FIRST_TEST_SEED

INTRO = f"""\
# Scoreboard

How often this judge is wrong, how soon it is right, and where others are better. Everything here
is measured by

    python -m tests.bench.verdict        # the whole of it, some hours of one core
    python -m tests.bench.verdict --smoke    # 500 canaries, for CI

and nothing is left out: every cell that was measured is below, losses included. A run that is
stopped goes on where it was; `--jobs 2` uses two processors, `--scale 0.5` half the canaries.

![False alarms and power](images/scoreboard.png)

**Worlds.** World A (S1 to S5) follows the study that the method comes from; world B (B1 to B4) is
a different generator that no constant was tuned on: Weibull latencies, Markov-modulated arrivals,
Pareto bursts, batched errors. Both were committed before the judge was tuned. Seeds below 10,000
are for tuning; these numbers come from seeds of {FIRST_TEST_SEED:,} and above, derived from the
name of each cell. Ten metrics a canary (mean, p50, p90 and p99 latency, 5xx, 4xx, checkouts, CPU,
memory, throughput), 30 or 60 periods of a minute, **a look at every period**.

**Ours** learns each environment's noise from {WINDOWS} windows of equal arms, as `canary rehearse`
does; every {BATCH} canaries ({SMALL_BATCH} where a cell has fewer than that) learn from new
windows, so that luck in learning is part of the rate.

**Others** get the growing window of one value a minute. *Kayenta*: its rule with its shipped
constants, at the end, at every period from the tenth, and as documented (three runs, 75/95).
*Kayenta at 99.5 %*: the same rule with its confidence raised and a gate of 5 % on memory.
*Size-matched Kayenta*: with the confidence, found for each scenario by simulation, at which it
calls 1 % of equal releases bad, memory held off by a gate of its own so that two hosts' lasting
difference does not silence the other metrics; nobody can configure it so, but only then is power
comparable.
*Flagger*: 5xx above twice the usual or p99 above 1.5 times the usual in five checks. *Argo*: mean
latency above 1.1 times the baseline in more than three (or zero) periods. Tests are one-sided.
Rates carry 95 % Clopper-Pearson intervals.
"""


def render(cells: targets.Cells, judge: str) -> str:
    """The whole page; ``judge`` is the digest of the judge that was measured."""
    parts = [INTRO, f"Digest of the judge's sources: `{judge}`.\n", _coverage(cells), _scenarios()]
    parts += _section("Targets", "", targets.page(cells))
    parts += _equal(cells["equal"])
    parts += _power(cells)
    parts += _section("Wrong PASSes", MARGINS, tables.margins(cells["margins"]))
    if cells["ablation"]:
        parts += _section("What each part is worth", ABLATION, tables.ablation(cells["ablation"]))
    return "\n".join(parts).rstrip() + "\n"


WON = (
    "World A. Won is over 5 points more power, or as much and sooner. Only size-matched Kayenta is "
    "held to the same false alarms; at 99.5 % it alarms more often than ours in rough scenarios, "
    "and with its shipped constants far more often everywhere (above)."
)
LATE = (
    "The harm starts at half time. Found as if the canary went on to its end: one that has passed "
    "before sees nothing. How often the affected metrics alone have passed by then is the last "
    "column; a whole canary passes later (above)."
)
MARGINS = (
    "A candidate exactly as bad as its margin, and twice as bad. Counted as the strictest "
    "policy would: one of the affected metrics only; in a canary the others must pass too."
)
ABLATION = (
    "60 periods. *No calibration* is a judge that knows nothing of the environment; *no kappa* "
    "learns the noise but not how far theory misses it; *no inflation* takes periods for "
    "independent; *no window* has the growing window only; *no pairing* sees the baseline's "
    "minutes in another order. High power with many false alarms is worth nothing."
)


def _coverage(cells: targets.Cells) -> str:
    """How much of the whole was measured, and with how many canaries a cell."""
    rows = []
    for section, found in cells.items():
        runs = [cell.alarms[OURS].runs for cell in found]
        each = f"{min(runs):,} to {max(runs):,}" if runs else "-"
        rows.append((section, str(len(found)), str(len(list(jobs(section, Size())))), each))
    return (
        "\n".join(tables.table(("section", "cells measured", "of", "canaries each"), rows)) + "\n"
    )


def _scenarios() -> str:
    return "\n".join(tables.table(("name", "scenario"), TITLES.items())) + "\n"


def _section(title: str, text: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *([text, ""] if text else []), *lines, ""]


def _equal(cells: Sequence[Cell]) -> list[str]:
    text = (
        "Equal releases: every alarm is false. The number of canaries a cell is in the table of "
        "mixes below; the others see at most the first 1,000. Family-wise: one alarm on any of ten "
        "metrics counts."
    )
    parts = []
    for title, letter in (("World A", "S"), ("World B", "B")):
        chosen = [cell for cell in cells if cell.scenario.startswith(letter)]
        if chosen:
            parts += _section(f"False alarms: {title}", text, tables.false_alarms(chosen))
    parts += _section("False alarms of ours by metric", "", tables.by_metric(cells))
    return parts + _section("What equal releases end with", "", tables.mixes(cells))


def _power(cells: targets.Cells) -> list[str]:
    text = (
        "Found on the affected metrics, and the median period of the find. “Wrong PASS” is ours "
        "passing the affected metrics (a whole canary passes less often). The others see the first "
        f"{Size().beside} canaries of a cell, or none (-). **!** marks more than 15 "
        "points less power than size-matched Kayenta. A leak of 0.05 points a minute lies within "
        "the margin of 0.1, and so does latency x1.05: passing them is allowed."
    )
    harmed, late = cells["harmed"], cells["late"]
    parts = _section("Won and lost", WON, tables.summary(_world_a(harmed)))
    parts += _section("Power", text, tables.power(harmed))
    return parts + _section("Late onset", LATE, tables.late(late))


def _world_a(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.scenario.startswith("S")]
