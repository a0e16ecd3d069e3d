"""How fast traffic moves: ``make bench-release``, beside the plain Ansible way in the same run.

It needs a local cloud with a release on both colours (``make demo`` leaves one). See ``plain`` for
what it is compared with. Exit status: 0 every goal is met, 1 one is not.
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
from pathlib import Path
from typing import Any

from canary.cli.assemble import traffic_of
from canary.cli.common import find_place
from canary.environment import Environment
from canary.traffic.haproxy import Haproxy
from tests.bench.plain import Plain, plain
from tests.bench.release_page import page
from tests.chaos.load import Load
from tests.e2e.demo import address
from tests.e2e.releases import ROOT, release

ZERO_TIMES = 20
RATE = 200.0
REQUESTS = 50_000
Seconds = dict[str, list[float]]


@dataclass
class Bench:
    """One run."""

    environment: Environment
    traffic: Haproxy
    live: str
    times: int
    ours: Seconds = field(default_factory=dict)
    theirs: Seconds = field(default_factory=dict)

    @property
    def idle(self) -> str:
        return self.environment.other(self.live)


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
    """Return the seconds from the decision until the proxy itself says that the weight is 0."""
    bench.traffic.set(bench.idle, 0.1, 60)
    began = time.monotonic()
    bench.traffic.release()
    while bench.traffic.status().weight(bench.idle):
        pass
    return time.monotonic() - began


def flips(bench: Bench) -> None:
    """Promote by hand and roll back, as a person does."""
    where = ("--env", "local")
    bench.ours["zero"] = [zero(bench) for _ in range(ZERO_TIMES)]
    bench.ours["promote"], bench.ours["rollback"] = [], []
    for _ in range(bench.times):
        bench.ours["promote"].append(call("canary", "promote", "--colour", bench.idle, *where))
        bench.ours["rollback"].append(call("canary", "rollback", *where))


def deployments(bench: Bench, way: Plain) -> None:
    """Put one release after the other on the idle colour, built before, each both ways."""
    bench.ours["deploy"], bench.theirs["deploy"] = [], []
    folder = ROOT / ".run/local/bench-release"
    for number in range(bench.times):
        made = release("bench", "", f"A release to deploy, {number}, {time.time_ns()}")
        call("canary", "build", made, "--directory", str(folder))
        archive = folder / f"{made[:12]}.tar.gz"
        asked = f"release={made[:12]} colour={bench.idle} artifact={archive}"
        bench.ours["deploy"].append(call("ansible-playbook", "playbooks/deploy.yml", "-e", asked))
        bench.theirs["deploy"].append(way.deploy(bench.idle, archive))


def comparison(bench: Bench) -> None:
    """Do everything the plain way, and both ways in turns where hosts are changed."""
    with plain(bench.idle) as way:
        way.weights(10)
        down, up = [], []
        for _ in range(bench.times):
            down.append(way.weights(0))
            up.append(way.weights(100))
        bench.theirs |= {"zero": down, "promote": up, "rollback": down}
        deployments(bench, way)
        bench.ours["site"] = [call("ansible-playbook", "site.yml") for _ in range(bench.times)]
        bench.theirs["site"] = [way.site() for _ in range(bench.times)]


def under_load(bench: Bench, requests: int) -> dict[str, Any]:
    """Change weights, promote and roll back all the while; return what customers met."""
    weights = flipped = 0
    with Load(address("local-proxy-1"), RATE) as load:
        began = time.monotonic()
        while sum(load.sent.values()) < requests:
            live = bench.traffic.status().live
            idle = bench.environment.other(live)
            for share in (0.05, 0.2, 0.5):
                bench.traffic.set(idle, share, 60)
                time.sleep(0.5)
            bench.traffic.promote(idle)
            time.sleep(0.5)
            bench.traffic.promote(live)
            weights, flipped = weights + 3, flipped + 2
        seconds = time.monotonic() - began
    sent = sum(load.sent.values())
    return {
        "requests": sent,
        "failed": sum(load.failed.values()),
        "why": dict(load.why),
        "weights": weights,
        "flips": flipped,
        "rate": sent / seconds,
        "seconds": seconds,
    }


def main() -> int:
    """Measure everything, and write it to docs/bench-release.md."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.release")
    parser.add_argument("--times", type=int, default=3, help="repetitions of what takes long")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="requests under load")
    asked = parser.parse_args()
    environment = find_place("local", None).environment
    traffic = traffic_of(environment)
    bench = Bench(environment, traffic, traffic.status().live, asked.times)
    before = os.getloadavg()[0]
    flips(bench)
    load = under_load(bench, asked.requests)
    comparison(bench)
    document = {
        "moment": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "ours": bench.ours,
        "theirs": bench.theirs,
        "load": load,
        "before": before,
        "cores": os.cpu_count(),
    }
    Path(ROOT, ".run/local/bench-release.json").write_text(json.dumps(document, indent=2) + "\n")
    text, met = page(document)
    Path(ROOT, "docs/bench-release.md").write_text(text)
    sys.stdout.write(text)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
