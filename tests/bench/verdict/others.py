"""The other rules on the canaries of a cell. Cached, as they do not depend on this judge."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from tests.bench.verdict.cells import Cell, Found, batch_of, cell_of, collect, drawn, seed, simulate
from tests.bench.verdict.comparators import Match, alarms, match
from tests.bench.verdict.readings import NONE, Harm

MATCHING = 1000
"""Number of equal canaries from which size-matched Kayenta gets its threshold."""


def kept(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the cached result of ``make``, or compute and cache it."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".half")
        half.write_text(json.dumps(make(), indent=1) + "\n", encoding="utf-8")
        half.replace(path)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def threshold(scenario: str, periods: int, folder: Path) -> Match:
    """Return size-matched Kayenta's thresholds in a scenario, from equal arms used only here."""

    def make() -> dict[str, Any]:
        number = seed("match", scenario, periods)
        return asdict(match(simulate(scenario, NONE, MATCHING, periods, number)))

    return Match(**kept(folder / f"match-{scenario.lower()}-{periods}.json", make))


def others(scenario: str, periods: int, harm: Harm, runs: int, folder: Path, *, of: int) -> Cell:
    """Return the other rules' alarms on the first ``runs`` of the ``of`` canaries of a cell."""
    found: Found = {}
    for _, canaries in drawn(scenario, periods, harm, runs, batch_of(of)):
        matched = threshold(scenario, periods, folder)
        for rule, firsts in alarms(canaries, matched, harm.affects).items():
            collect(found, {(rule, name): first for name, first in firsts.items()})
    return cell_of(scenario, periods, harm, found)
