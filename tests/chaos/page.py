"""The page docs/chaos.md, generated from the measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.chaos.row import RATE, Row

INTRODUCTION = """# Faults and customer impact

`make chaos` writes this page. It injects faults into the real hosts of the local cloud: it kills
and stops processes and hosts, cuts and slows connections, fills disks, and falsifies clocks and
metrics. It injects one fault after another, then seeded random pairs of faults, each during a
canary.

The load is {rate:g} requests/s, half of them reads and half purchases. Each purchase has an
idempotency key, and its body follows its header, as many clients send it. A failed request is one
whose first attempt failed for the customer, after the proxy's own retries. A customer whose
checkout failed tries again with the same key, and every fifth customer sends the checkout twice at
once. An order is lost if the shop acknowledged it and PostgreSQL does not have it. An order is
doubled if one shopper has two. Before it starts, each run doubles one order and deletes another by
hand, and stops unless the check finds both.

The seconds to weight 0 come from HAProxy's own socket, which is read ten times a second without
using the network. `kept` means that the fault did not concern the canary: the canary kept its
weight until it was stopped after 30 s. `above its share` are the seconds in which the candidate
carried more than twice its share, and ten points more than it: HAProxy gives the users of a server
that is down to all others. A fault that removes metrics lasts until the canary ends by
itself, and a PASS then counts as a failure. The lease of a canary lasts 9 s and its period is 5 s.
The target is 10 s.

The last rows are what owners do and what time brings: full and rotated logs, a new certificate, a
deployment to the wrong host, a replaced host. Three of them take away the only proxy or the only
database. Nobody can serve customers then, so these rows give the failed requests and the seconds
from the first to the last of them. A deployment to a colour that has a candidate's traffic must be
refused.

Measured on {cores} cores. Each row gives the time and the load average of the machine.
"""
LEAST_ABOVE = 0.2
"""A shorter time above the share is ignored, because setting the weights takes that long."""
HEAD = (
    "fault",
    "failed reads",
    "failed writes",
    "lost orders",
    "doubled orders",
    "s to weight 0",
    "canary ended with",
    "proxy, hosts and state agree",
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
    "proxy, hosts and state agree",
    "measured (UTC), load",
)
CUTS = """
## Interrupted playbooks

Under the same load, the playbook's process is killed after a host has finished a task. A
deployment is killed after each task, changed or not, and is then run again; every attempt deploys
a new release. Before `site.yml` runs, one host is terminated, so that it has a host to replace.
`site.yml` is killed in a chain: each run starts where the previous one stopped and is killed after
its next change, until the last run completes. Hosts are configured in parallel, so a run that is
killed after one change may also have made others. For "host restarted", one host of the idle
colour restarts in the middle of a deployment, which is then run again.

A row shows a seeded sample of all tasks (`--cuts`), because all of them take 80 minutes. On 27
November 2026, all of them were cut: a deployment after each of its 63 tasks, with 0 of 92,978
requests failed, and `site.yml` after 24 of 28 changes, with 0 of 51,348. No order was lost or
doubled.
"""
END = """
## Where it takes longer than two periods

* *An instance of the candidate serves customers but publishes no metrics, and does not say so.* The
  metrics of a period are sent when it has ended, and have 2 s to arrive. So a first period without
  them is known up to 7 s after the fault, and a second one up to 12 s after it. The metrics alone
  cannot tell an agent that hangs from one that restarts and misses one period, or from data that
  are late. So a canary ends at the second period; from the first one on, the weight is not raised
  and nothing passes. That is the bound for an app that says nothing; `missing: {consecutive: 1}`
  ends its canary at the first such period, and at each restart of an agent that takes the end of
  a period with it. The shop says in its health check until when it has sent its metrics
  (`X-Metrics-Until`), and the proxy passes that on. If it has not sent them half a period after
  they were due, they are not late: the canary ends up to 9.5 s after the fault. An agent that
  restarted says that it owes nothing for the time before. The first period that is judged begins
  after the weight was set, so in the first seconds of a canary it is up to 3 s more, and up to 5 s
  if setting the weight took so long that a period had begun.
* *A clock of the candidate is wrong.* Its metrics belong to other periods, so those of this period
  would be missing two periods later. The proxy compares the date of each health check with those of
  the live servers, and the canary ends at its next look, up to 5 s after the clock is wrong. In
  these rows, the shop restarts with the wrong clock first. While it does not respond, its clock is
  not known.
* *CloudWatch returns a metric no more, and all others.* A metric without events has no value, so
  the absence of one value is no fault. But a source that returns the values of the past no more,
  which it returned before, has lost the metric: the canary asks for them again, and ends at its
  next look, up to 5 s after the fault. If the past is there, and nobody reports a critical metric
  that every period had before the canary, the canary ends after three periods
  (`missing.consecutive`): up to 17 s, because one pipeline may be late while the others are not.
  It cannot PASS, and its weight is not raised. A response with a count of a metric but without
  its value is a hole: it ends the canary within two periods.
* *CloudWatch falls silent in the first period of a canary.* The first weight is set just before a
  period begins. If setting it takes so long that the period has begun, as it can on this machine
  under load, the first data is due a period later: 12 to 13 s after the fault, not 8 to 9 s.
* *The proxy is replaced.* From the end of the old proxy until `site.yml` has made another, nobody
  carries traffic. The new proxy starts with weight 0, so the seconds are those of `site.yml`.

## Why the candidate keeps its weight while a live host is away

HAProxy gives the users of a server that is down to all others. Beside a live server that carries a
candidate's load, the candidate would get two thirds of them. The proxy notices within a second or
two, and with the next renewal of the lease (every 2.25 s here) it sets the weights again, so that
the candidate has its share of the servers that are up. The canary continues with the hosts that are
left. While no live server is up, the candidate keeps its weight: it is all that customers have. A
live host that is cut off from its data stays in service for ten seconds more
(`STORE_GRACE_SECONDS`), because an outage of the database concerns both colours; the proxy asks
another host for what it cannot serve. So a canary outlives the replacement of a live host: it waits
for no host that is gone, and the proxy gives the new one its part. Its CPU and memory cannot be
compared meanwhile, so it cannot PASS.

Every test run also checks the rollout in simulated time, with 400 seeded schedules of faults:
`tests/unit/canary/test_random_faults.py`.
"""

Cells = tuple[str, ...]


def page(found: Mapping[str, Cells], cores: int) -> str:
    """Return the whole page."""
    faults, cuts = (
        [row for row in found.values() if len(row) == len(head)] for head in (HEAD, CUT_HEAD)
    )
    parts = [INTRODUCTION.format(rate=RATE, cores=cores), "", _table(HEAD, faults)]
    if cuts:
        parts += [CUTS, _table(CUT_HEAD, cuts)]
    return "\n".join(parts) + END


def published(text: str) -> dict[str, Cells]:
    """Return the published rows by name. A run replaces only the rows that it measures."""
    lines = [line[2:-2] for line in text.splitlines() if line.startswith("| ")]
    rows = [tuple(line.split(" | ")) for line in lines]
    return {row[0]: row for row in rows if row[0] not in (HEAD[0], CUT_HEAD[0], "---")}


def cells(row: Row) -> Cells:
    """Return the line of the page for one measurement."""
    customers = (*_failed(row), str(row.books.lost), str(row.books.doubled))
    if row.kind == "cut":
        after = f"{row.ended} of {row.reason}"
        return (row.name, after, *customers, row.next, row.agrees, _when(row))
    zero = "kept" if row.to_zero is None else f"{row.to_zero:.1f}"
    if row.above >= LEAST_ABOVE:
        zero += f", {row.above:.1f} above its share"
    return (row.name, *customers, zero, row.ended, row.agrees, row.next, _when(row))


def _failed(row: Row) -> Cells:
    span = "" if row.unserved is None else f" in {row.unserved:.1f} s"
    return tuple(
        f"{row.failed.get(kind, 0)} of {row.sent.get(kind, 0)}{span}" for kind in ("read", "write")
    )


def _when(row: Row) -> str:
    return f"{row.moment}, {row.load_average:.0f}"


def _table(head: Cells, rows: Iterable[Cells]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)
