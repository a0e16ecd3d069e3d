"""``make chaos``: one fault after another, then seeded random pairs, each during a canary.

It uses the local cloud that is up, with a release on both colours (``make demo`` leaves one). Each
row is one canary of the release that both colours have, so that whatever it meets is the fault's.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.chaos.faults import FAULTS, Fault
from tests.chaos.load import Load, orders
from tests.e2e.demo import address, answer
from tests.e2e.releases import ROOT

RATE = 30.0
FIRST_METRICS = 20.0
AT_WEIGHT = 240.0
GOES_ON = 30.0
"""Seconds that load and canary go on after the fault."""
KILLED = "kill -9 canary"
SEED = 20261126
HEAD = (
    "fault",
    "failed reads",
    "failed writes",
    "lost orders",
    "doubled orders",
    "s to weight 0",
    "canary ended with",
    "agrees afterwards",
)


@dataclass(frozen=True)
class Row:
    """What one fault cost."""

    name: str
    load: Load
    lost: int
    doubled: int
    to_zero: float | None
    ended: str
    agrees: bool

    def cells(self) -> tuple[str, ...]:
        reads, writes = (f"{self.load.failed[k]} of {self.load.sent[k]}" for k in ("read", "write"))
        zero = "none" if self.to_zero is None else f"{self.to_zero:.1f}"
        agrees = "yes" if self.agrees else "NO"
        return self.name, reads, writes, f"{self.lost}", f"{self.doubled}", zero, self.ended, agrees


def status() -> Any:
    return answer("canary", "status", "--env", "local", "--json")


def known_release() -> str:
    """Return the commit that was deployed last: hosts have it, so a canary of it begins soon."""
    rows = answer("canary", "history", "--env", "local", "--json")
    return next(str(row["candidate"]).split()[-1] for row in rows if row["colours"])


def weight(found: Any, colour: str) -> int:
    weights: dict[str, int] = found["proxy"]["weights"]
    return sum(value for server, value in weights.items() if server.startswith(colour))


def wait_for_weight(canary: subprocess.Popen[str], colour: str, *, zero: bool) -> float | None:
    """Return the seconds until the candidate has no weight, or has some; None: not in time."""
    began = time.monotonic()
    while time.monotonic() - began < (GOES_ON if zero else AT_WEIGHT):
        try:
            if (weight(status(), colour) == 0) == zero:
                return time.monotonic() - began
        except ValueError:  # the proxy is away: then it gives nobody any weight
            continue
        if not zero and canary.poll() is not None:
            break
    return None


def ended(canary: subprocess.Popen[str]) -> str:
    """Let the canary end, by a signal if it would go on; return its verdict."""
    stopped = canary.poll() is None
    if stopped:
        canary.terminate()
    out, _ = canary.communicate(timeout=180)
    if canary.returncode < 0:
        return "(killed)"
    verdict = json.loads(out)["verdict"] or "COULD NOT RUN"
    return "(stopped after it)" if stopped else str(verdict)


def suffer(name: str, faults: Sequence[Fault]) -> Row:
    """Begin a canary under load, inflict the faults once it has traffic, and see what comes."""
    live = status()["live"]
    idle = {"blue": "green", "green": "blue"}[live]
    with Load(address("local-proxy-1"), RATE) as load:
        time.sleep(FIRST_METRICS)
        command = ["canary", "run", "--env", "local", "--candidate", known_release(), "--json"]
        canary = subprocess.Popen(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        if wait_for_weight(canary, idle, zero=False) is None:
            raise SystemExit(f"The canary got no traffic before {name!r}: {ended(canary)}")
        if name == KILLED:
            canary.kill()
        for fault in faults:
            fault.inflict(live, idle)
        to_zero = wait_for_weight(canary, idle, zero=True)
        for fault in faults:
            fault.heal(live, idle)
        how = ended(canary)
    time.sleep(5)  # what was healed becomes healthy
    found = status()
    lost, doubled = orders(load)
    agrees = not found["differences"] and found["live"] == live and weight(found, idle) == 0
    return Row(name, load, lost, doubled, to_zero, how, agrees)


def table(rows: Sequence[Row]) -> str:
    lines = [HEAD, tuple("---" for _ in HEAD), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> int:
    """Exit status: 0 nothing was lost and the memory agrees after every fault, 1 not so."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--only", default="", help="faults whose name holds this word")
    parser.add_argument("--pairs", type=int, default=3, help="random pairs of faults")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    draw = random.Random(asked.seed)  # noqa: S311 - repeatable, not secret
    plan: list[tuple[str, list[Fault]]] = [(KILLED, []), *((f.name, [f]) for f in FAULTS)]
    for _ in range(asked.pairs):
        pair = draw.sample(FAULTS, 2)
        plan.append((" and ".join(fault.name for fault in pair), pair))
    rows = []
    for name, faults in plan:
        if asked.only in name:
            rows.append(suffer(name, faults))
            sys.stderr.write(f"{' | '.join(rows[-1].cells())}\n    {dict(rows[-1].load.why)}\n")
    text = table(rows)
    sys.stdout.write(text)
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    target = Path(ROOT, ".run/local/chaos.md")
    target.write_text(f"# Chaos\n\n{moment}, seed {asked.seed}, {RATE:g} requests/s\n\n{text}")
    return int(any(row.lost or row.doubled or not row.agrees for row in rows))


if __name__ == "__main__":
    sys.exit(main())
