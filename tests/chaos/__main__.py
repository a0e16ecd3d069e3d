"""``make chaos``: one fault after another, then seeded random pairs, each during a canary.

It uses the running local cloud with a release on both colours (see ``make demo``). Each row is one
canary of the release that both colours have, so every effect comes from the fault.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Sequence

from local_cloud.settings import Settings
from tests.chaos import links
from tests.chaos.fault import Fault
from tests.chaos.faults import FAULTS, pair
from tests.chaos.interrupted import interruptions
from tests.chaos.load import Load
from tests.chaos.orders import Books, compare, control, orders
from tests.chaos.page import Cells, cells, page, published
from tests.chaos.relay import Relay
from tests.chaos.row import Row, begin, carries, ended, status, suffer
from tests.chaos.watch import Watch
from tests.e2e.demo import address, other
from tests.support.paths import ROOT

SEED = 20261126
PAGE = ROOT / "docs/chaos.md"
Plan = list[tuple[str, list[Fault]]]


def planned(only: str, pairs: int, seed: int) -> Plan:
    """Return the faults whose names contain the word, then seeded random pairs."""
    plan: Plan = [(fault.name, [fault]) for fault in FAULTS]
    draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for _ in range(pairs):
        drawn = pair(draw)
        plan.append((" and ".join(fault.name for fault in drawn), drawn))
    words = only.split(",")
    return [(name, faults) for name, faults in plan if any(word in name for word in words)]


def books_can_be_wrong() -> tuple[Books, Books]:
    """Test the check itself: double one order, delete another, and require that both are found."""
    with Load(address("local-proxy-1"), 20.0) as load:
        time.sleep(5)
    return compare(load.told, orders(load.run)), control(load.run, load.told)


def last_canary(relay: Relay, row: Row) -> None:
    """Check that a canary runs after the last fault."""
    live = status()["live"]
    idle = other(live)
    with Load(address("local-proxy-1"), 30.0), Watch() as watch:
        time.sleep(15)
        canary = begin(relay, ROOT / ".run/local/chaos/last.log")
        row.next = "ran" if carries(watch, canary, idle) else "NO"
        ended(canary)


def run(plan: Plan) -> list[Row]:
    rows: list[Row] = []
    links.heal()  # an earlier run may have been killed at any step
    with Relay(Settings.load().endpoint) as relay:
        for name, faults in plan:
            rows.append(suffer(name, faults, relay, rows[-1] if rows else None))
            tell(rows[-1])
            publish(rows)
        if rows:
            last_canary(relay, rows[-1])
            publish(rows)
    return rows


def tell(row: Row) -> None:
    sys.stderr.write(f"{' | '.join(cells(row))}\n    {row.why} {row.reason} {row.problem}\n")


def publish(rows: Sequence[Row]) -> None:
    """Write the page. Rows that were not measured in this run, or had a problem, stay unchanged."""
    found = published(PAGE.read_text())
    found |= {row.name: cells(row) for row in rows if not row.problem}
    PAGE.write_text(page(ordered(found), os.cpu_count() or 0))


def ordered(found: dict[str, Cells]) -> dict[str, Cells]:
    """Return the rows in the order of the faults, then pairs and interruptions as measured."""
    names = [fault.name for fault in FAULTS]
    place = {name: number for number, name in enumerate(names)}
    return dict(sorted(found.items(), key=lambda row: place.get(row[0], len(names))))


def main() -> int:
    """Exit status: 0 no order lost or doubled, no PASS without data, all safe again; else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--only", default="", help="faults whose name holds one of these, by comma")
    parser.add_argument("--pairs", type=int, default=3, help="random pairs of faults")
    parser.add_argument("--cuts", type=int, default=3, help="boundaries to cut each playbook at")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    honest, cooked = books_can_be_wrong()
    sys.stderr.write(f"Books: {honest}; with one order doubled and one deleted: {cooked}\n")
    if (honest, cooked) != (Books(0, 0), Books(1, 1)):
        raise SystemExit("The books do not see what was done to the orders: nothing is measured")
    rows = run(planned(asked.only, asked.pairs, asked.seed))
    rows += interruptions(asked.only, asked.cuts, asked.seed, tell)
    publish(rows)
    sys.stdout.write(PAGE.read_text())
    return int(any(row.bad for row in rows))


if __name__ == "__main__":
    sys.exit(main())
