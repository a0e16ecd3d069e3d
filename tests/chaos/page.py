"""docs/chaos.md, from what was measured and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.chaos.row import LONGEST, RATE

INTRODUCTION = """# Faults, and what customers met

Written by `make chaos`, which kills, stops, cuts off, slows, fills and misleads the real hosts of
the local cloud, one fault after another and in seeded random pairs, each during a canary under
{rate:g} requests/s: half reads, half purchases with a key for each request, whose body follows its
head, as many clients send it. A failure is what a customer saw at the first try, after the proxy's
own retries. Customers whose checkout failed try again with the same key, and every fifth sends it
twice at once. An order is lost if it was acknowledged and is not in PostgreSQL, and doubled if a
shopper has two. Each run first doubles one order and deletes another by hand, and refuses to go on
unless both are seen.

Weight 0 is read from HAProxy's own socket ten times a second, beside the network; `kept` means that
the fault did not concern the canary, which kept its weight until it was stopped after 30 s. A fault
that takes evidence away lasts until the canary has ended by itself, and PASS is then a failure. A
canary's lease lasts 9 s, its period is 5 s: the target is 10 s.

Measured on {cores} cores. Each row says when, and how busy the machine was (load average).
"""
HEAD = (
    "fault",
    "failed reads",
    "failed writes",
    "lost orders",
    "doubled orders",
    "s to weight 0",
    "canary ended with",
    "agrees afterwards",
    "next canary",
    "measured (UTC), load",
)
CUT_HEAD = (
    "interrupted",
    "after",
    "failed reads",
    "failed writes",
    "lost orders",
    "doubled orders",
    "run again",
    "agrees afterwards",
    "measured (UTC), load",
)
CUTS = """
## Interrupted playbooks

Under the same load, the playbook's process is killed once a host has done a task. A deployment is
killed after a task, changed or not, and run again, each time with a new release. `site.yml` has a
host to replace that was terminated, and is killed in a chain: each run begins with what the ones
before left, is killed after the next change, and the last one is not. Where it changes nothing a
kill would leave what the one before left. Hosts go on side by side, so some changes are made in a
run that is killed after another one.
"""
END = """
## Where it takes longer than two periods

* *An instance of the candidate serves customers and is not heard.* That is borne for three periods
  (`missing.consecutive`), so that an agent may be restarted, and seen when they have settled. The
  weight then goes to 0.
* *Parts of every answer are missing.* Whoever sends something is seen; PASS is held back, and the
  canary keeps its weight until its time is over (`maximum: {longest}` here).

In simulated time, 400 seeded schedules of faults hold the rollout to its promise on every test run:
`tests/unit/canary/test_random_faults.py`.
"""

Kept = Mapping[str, Any]


def page(rows: Iterable[Kept], cores: int) -> str:
    """Return the whole page."""
    every = list(rows)
    faults = [row for row in every if row["kind"] == "fault"]
    cuts = [row for row in every if row["kind"] == "cut"]
    parts = [INTRODUCTION.format(rate=RATE, cores=cores)]
    parts += ["", _table(HEAD, [_fault(row) for row in faults])]
    if cuts:
        parts += [CUTS, _table(CUT_HEAD, [_cut(row) for row in cuts])]
    return "\n".join(parts) + END.format(longest=LONGEST)


def _fault(row: Kept) -> tuple[str, ...]:
    zero = "kept" if row["to_zero"] is None else f"{row['to_zero']:.1f}"
    ended = (zero, row["ended"], row["agrees"], row["next"], _when(row))
    return (row["name"], *_customers(row), *ended)


def _cut(row: Kept) -> tuple[str, ...]:
    after = f"{row['ended']} of {row['reason']}"
    return (row["name"], after, *_customers(row), row["next"], row["agrees"], _when(row))


def _customers(row: Kept) -> tuple[str, ...]:
    failed = (f"{row['failed'].get(k, 0)} of {row['sent'].get(k, 0)}" for k in ("read", "write"))
    return (*failed, str(row["books"]["lost"]), str(row["books"]["doubled"]))


def _when(row: Kept) -> str:
    return f"{row['moment']}, {row['load_average']:.0f}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)
