"""Measure how fast traffic moves, beside plain Ansible in the same run: ``make bench-release``.

It needs a local cloud with a release on both colours (``make demo`` leaves one). ``plain`` is the
plain Ansible way. Exit status: 0 every goal is met, 1 one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from canary.cli.assemble import traffic_of
from canary.cli.common import find_place
from canary.environment import Environment, other_colour
from canary.traffic.haproxy import Haproxy
from tests.bench.plain import Plain, plain
from tests.bench.release_page import ROWS, page
from tests.chaos.load import Load
from tests.e2e.demo import address
from tests.support.paths import ROOT
from tests.support.releases import release

ZERO_TIMES = 20
RATE = 200.0
REQUESTS = 50_000
Seconds = dict[str, list[float]]
KEPT = ROOT / ".run/local/bench-release.json"
PAGE = ROOT / "docs/bench-release.md"


@dataclass
class Bench:
    """One run."""

    environment: Environment
    traffic: Haproxy
    live: str
    times: int
    requests: int
    ours: Seconds = field(default_factory=dict)
    theirs: Seconds = field(default_factory=dict)
    load: dict[str, Any] = field(default_factory=dict)

    @property
    def idle(self) -> str:
        return other_colour(self.environment.colours, self.live)


def timed(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def call(*command: str) -> float:
    """Run a command as a user would; return the seconds that it took."""
    return timed(
        lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    )


def zero(bench: Bench) -> float:
    """Return the seconds from the decision until the proxy itself reports weight 0."""
    bench.traffic.set(bench.idle, 0.1, 60)
    began = time.monotonic()
    bench.traffic.release()
    while bench.traffic.status().weight(bench.idle):
        pass
    return time.monotonic() - began


def flips(bench: Bench, way: Plain) -> None:
    """Promote and roll back by hand, then change weights the plain way."""
    where = ("--env", "local")
    bench.ours["zero"] = [zero(bench) for _ in range(ZERO_TIMES)]
    bench.ours["promote"], bench.ours["rollback"] = [], []
    for _ in range(bench.times):
        bench.ours["promote"].append(call("canary", "promote", "--colour", bench.idle, *where))
        bench.ours["rollback"].append(call("canary", "rollback", *where))
    way.weights(10)
    down, up = [], []
    for _ in range(bench.times):
        down.append(way.weights(0))
        up.append(way.weights(100))
    bench.theirs |= {"zero": down, "promote": up, "rollback": down}


def deployments(bench: Bench, way: Plain) -> None:
    """Deploy prepared releases to the idle colour, one after another, each both ways."""
    bench.ours["deploy"], bench.theirs["deploy"] = [], []
    folder = ROOT / ".run/local/bench-release"
    for number in range(bench.times):
        made = release("bench", "", f"A release to deploy, {number}, {time.time_ns()}")
        call("canary", "build", made, "--directory", str(folder))
        archive = folder / f"{made[:12]}.tar.gz"
        asked = f"release={made[:12]} colour={bench.idle} artifact={archive}"
        bench.ours["deploy"].append(call("ansible-playbook", "playbooks/deploy.yml", "-e", asked))
        bench.theirs["deploy"].append(way.deploy(bench.idle, archive))


def sites(bench: Bench, way: Plain) -> None:
    """Run site.yml without anything to change, alternating both ways."""
    bench.ours["site"], bench.theirs["site"] = [], []
    for _ in range(bench.times):
        bench.ours["site"].append(call("ansible-playbook", "site.yml"))
        bench.theirs["site"].append(way.site())


def under_load(bench: Bench, _way: Plain) -> None:
    """Change weights, promote and roll back continuously under load, and count failed requests."""
    weights = flipped = 0
    with Load(address("local-proxy-1"), RATE) as load:
        began = time.monotonic()
        while sum(load.sent.values()) < bench.requests:
            live = bench.traffic.status().live
            idle = other_colour(bench.environment.colours, live)
            for share in (0.05, 0.2, 0.5):
                bench.traffic.set(idle, share, 60)
                time.sleep(0.5)
            bench.traffic.promote(idle)
            time.sleep(0.5)
            bench.traffic.promote(live)
            weights, flipped = weights + 3, flipped + 2
        seconds = time.monotonic() - began
    sent = sum(load.sent.values())
    bench.load |= {
        "requests": sent,
        "failed": sum(load.failed.values()),
        "why": dict(load.why),
        "weights": weights,
        "flips": flipped,
        "rate": sent / seconds,
        "seconds": seconds,
    }


PARTS = {"flips": flips, "load": under_load, "deploy": deployments, "site": sites}


def keep(bench: Bench, before: float) -> dict[str, Any]:
    """Add the measurements to the stored ones, and return all."""
    found: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    stamp = {"moment": time.strftime("%Y-%m-%d %H:%M", time.gmtime()), "before": before}
    new = dict.fromkeys((*bench.ours, *(["load"] if bench.load else [])), stamp)
    found["when"] = found.get("when", {}) | new
    found["ours"] = found.get("ours", {}) | bench.ours
    found["theirs"] = found.get("theirs", {}) | bench.theirs
    found["load"] = bench.load or found.get("load", {})
    KEPT.write_text(json.dumps(found, indent=2) + "\n")
    return found


def main() -> int:
    """Measure, and write docs/bench-release.md when every part has been measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.release")
    parser.add_argument("--times", type=int, default=3, help="repetitions of what takes long")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="requests under load")
    parser.add_argument("--only", choices=PARTS, help="measure one part anew, and keep the others")
    asked = parser.parse_args()
    environment = find_place("local", None).environment
    traffic = traffic_of(environment)
    live = traffic.status().live
    with plain(other_colour(environment.colours, live)) as way:
        for name in [asked.only] if asked.only else PARTS:
            sys.stderr.write(f"{name}\n")
            bench = Bench(environment, traffic, live, asked.times, asked.requests)
            before = os.getloadavg()[0]
            PARTS[name](bench, way)
            found = keep(bench, before)
    if missing := [part for part in (*ROWS, "load") if part not in found["when"]]:
        sys.exit(f"Kept; not measured yet: {', '.join(missing)}")
    text, met = page(found)
    PAGE.write_text(text)
    sys.stdout.write(text)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
