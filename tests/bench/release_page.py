"""Make docs/bench-release.md from the measurements."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

ROWS = {
    "zero": "decision to zero traffic",
    "promote": "promote",
    "rollback": "rollback",
    "deploy": "deploy of one release to one colour",
    "site": "second `site.yml`",
}
GOAL = 1.0
REQUESTS = 50_000
TEXT = """# Speed of traffic changes

    make bench-release         # needs the cloud of make demo, and a machine that does nothing else

Seconds, median and worst, on {cores} cores. Both columns of a row were measured in one run. Each
row gives the time and the load average before the run.

| | cart-canary | plain Ansible | times as fast | measured (UTC), load |
| --- | --- | --- | --- | --- |
{rows}
cart-canary: "Decision to zero traffic" is the time from the decision of a running canary
until the proxy itself reports zero traffic. Promote and rollback are the commands that a person
types, including the start of the program. A deployment takes each of two hosts out of the proxy,
waits until it has finished its requests, changes it, waits until it responds, and puts it back.

Plain Ansible: the default configuration of Ansible. To change a weight, it writes a template,
validates it and reloads HAProxy. A deployment copies the same archive to both hosts at once,
installs it and restarts the shop while it serves. `site.yml` is the same playbook. Both ran on the
same hosts; where hosts change, they took turns.

## Under load

Measured {moment} UTC.

| goal | measured | |
| --- | --- | --- |
| zero traffic in less than {goal:g} s, median of {times} | {zero:.3f} s | {zero_met} |
| no failed request of {wanted:,} at 200/s, during weight changes, promotions and rollbacks | \
{failed:,} of {sent:,} at {rate:.0f}/s, during {weights} weight changes and {flips} \
promotions and rollbacks | {load_met} |
"""


def page(found: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the page, and whether every goal is met."""
    ours, theirs, load = found["ours"], found["theirs"], found["load"]
    zero = statistics.median(ours["zero"])
    fast, safe = zero < GOAL, not load["failed"] and load["requests"] >= REQUESTS
    rows = [_row(name, ours[key], theirs[key], found["when"][key]) for key, name in ROWS.items()]
    text = TEXT.format(
        cores=os.cpu_count(),
        moment=found["when"]["load"]["moment"],
        rows="".join(rows),
        goal=GOAL,
        times=len(ours["zero"]),
        zero=zero,
        zero_met=_word(fast),
        wanted=REQUESTS,
        failed=load["failed"],
        sent=load["requests"],
        rate=load["rate"],
        weights=load["weights"],
        flips=load["flips"],
        load_met=_word(safe),
    )
    return text, fast and safe


def _row(name: str, ours: Sequence[float], theirs: Sequence[float], when: Mapping[str, Any]) -> str:
    times = statistics.median(theirs) / statistics.median(ours)
    cells = (_cell(ours), _cell(theirs), f"{times:.1f}", f"{when['moment']}, {when['before']:.1f}")
    return f"| {name} | {' | '.join(cells)} |\n"


def _cell(values: Sequence[float]) -> str:
    digits = 3 if statistics.median(values) < 1 else 1
    middle, worst = statistics.median(values), max(values)
    return f"{middle:.{digits}f}, {worst:.{digits}f} ({len(values)} runs)"


def _word(met: bool) -> str:  # noqa: FBT001 - private
    return "met" if met else "MISSED"
