"""Measure how soon harm fails with periods of 10 s: ``python -m tests.bench.fast`` (25 min).

It needs a local cloud with a release on both colours (``make demo`` leaves one), and an otherwise
idle machine. The base release answers one request in fifty with 503, after 20 ms. The candidates
have five times its errors, or are 50 % slower. Exit status: 0 each failed within 60 s of its first
traffic, 1 one did not.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.e2e.demo import SHOPPERS, answer, call
from tests.support.paths import ROOT
from tests.support.policies import write_changed_policy
from tests.support.releases import release

LIMIT = 60
MINUTES = 14
"""Minutes of load on equal releases: eight windows as long as the policy's maximum."""
PLACE = ROOT / ".run/local"
POLICY = PLACE / "bench-fast.yml"
BASE = "error=503:0.02 latency=20ms"
CANDIDATES = {
    "five times the errors": "error=503:0.10 latency=20ms",
    "half as slow again": "error=503:0.02 latency=30ms",
}
PERCENT = re.compile(r"\d+%")
SHAPE = {"period": "10s", "warmup": "0s", "minimum": "60s", "maximum": "100s"}


def shorten(policy: dict[str, Any]) -> None:
    """Make a policy short, with margins of 20 %."""
    policy |= SHAPE
    for metric in policy["metrics"]:
        if PERCENT.fullmatch(metric["margin"]):
            metric["margin"] = "20%"
        if metric.get("negligible") == "1%":
            metric["negligible"] = "0.2%"


def load(word: str) -> None:
    call("ansible-playbook", "playbooks/load.yml", "-e", f"load={word} users={SHOPPERS}")


def rehearse(since: str, colour: str) -> str:
    """Learn the noise of equal releases, and return a description of the data."""
    where = ("--policy", str(POLICY), "--env", "local", "--colour", colour, "--json")
    told = answer("canary", "rehearse", *where, "--start", since)
    return f"{told['windows']} windows, {told['calibrated']} false alarms"


def judged(name: str) -> dict[str, Any]:
    """Run one canary. Return its verdict, the reason, and the seconds since its first traffic."""
    made = release("fast", CANDIDATES[name], name)
    told = answer("canary", "run", "--policy", str(POLICY), "--candidate", made, "--json")
    report = json.loads((PLACE / "canaries" / told["canary"] / "report.json").read_text())
    times = {event["kind"]: event["time"] for event in reversed(report["events"])}
    seconds = times["end"] - times["step"]
    return {"name": name, "verdict": told["verdict"], "why": told["reason"], "seconds": seconds}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fast")
    parser.add_argument("--times", type=int, default=3, help="canaries of each kind")
    parser.add_argument("--past", help="learn from since then, rather than from a load of its own")
    asked = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    write_changed_policy(POLICY, shorten)
    base = release("fast-base", BASE, "The base of fast canaries")
    call("canary", "deploy", base, "--env", "local", "--everywhere")
    load("start")
    try:
        console.print(f"Load of {SHOPPERS} shoppers on equal releases")
        time.sleep(45 if asked.past else MINUTES * 60 + 45)
        live = answer("canary", "status", "--env", "local", "--json")["live"]
        console.print(rehearse(asked.past or f"-{MINUTES}m", live))
        runs = [judged(name) for _ in range(asked.times) for name in CANDIDATES]
    finally:
        load("stop")
        (PLACE / "calibration.json").unlink(missing_ok=True)  # it was learned with other releases
    table = Table("candidate", "verdict", "s after first traffic", "why", title="10 s periods")
    for run in runs:
        table.add_row(run["name"], str(run["verdict"]), f"{run['seconds']:.0f}", run["why"])
    console.print(table)
    (PLACE / "bench-fast.json").write_text(json.dumps(runs, indent=2) + "\n")
    middle = statistics.median(run["seconds"] for run in runs)
    met = all(run["verdict"] == "FAIL" and run["seconds"] <= LIMIT for run in runs)
    console.print(
        f"{'met' if met else 'MISSED'}: FAIL within {LIMIT} s; the median is {middle:.0f}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
