"""How fast traffic moves: ``make bench-release``, beside the plain Ansible way in the same run.

It needs a local cloud with a release on both colours (``make demo`` leaves one). The plain way is
what one writes first: a playbook that templates HAProxy's configuration with other weights, checks
it, and reloads; it runs on the proxy host too, on a HAProxy of its own beside ours.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from canary.cli.assemble import traffic_of
from canary.cli.common import find_place
from canary.traffic.haproxy import Haproxy
from tests.chaos.load import Load
from tests.e2e.demo import address
from tests.e2e.releases import ROOT

TIMES, PLAIN_TIMES = 20, 5
RATE = 200.0
PLAIN = """
global
  stats socket /run/plain.sock
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 10s
frontend plain
  bind 127.0.0.1:8099
  default_backend shop
backend shop
  server blue {blue}:8080 weight {{{{ 100 - share }}}}
  server green {green}:8080 weight {{{{ share }}}}
"""
PLAYBOOK = """
- hosts: proxy
  become: true
  gather_facts: false
  tasks:
    - ansible.builtin.template:
        src: plain.cfg.j2
        dest: /tmp/plain.cfg
        mode: "0644"
        validate: haproxy -c -q -f %s
    - ansible.builtin.shell: >-
        haproxy -D -f /tmp/plain.cfg -p /run/plain.pid -sf $(cat /run/plain.pid 2>/dev/null)
"""


def timed(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def zero(traffic: Haproxy, idle: str) -> float:
    """Return the seconds from the decision until the proxy itself says that the weight is 0."""
    traffic.set(idle, 0.1, 60)
    began = time.monotonic()
    traffic.release()
    while traffic.status().weight(idle):
        pass
    return time.monotonic() - began


def canary(*words: str) -> float:
    command = ["canary", *words, "--env", "local"]
    return timed(lambda: subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL))


def plain(times: int) -> list[float]:
    """Return how long the plain way takes to give green nothing, once its first run is over."""
    with tempfile.TemporaryDirectory() as folder:
        blue, green = address("local-app-blue-1"), address("local-app-green-1")
        Path(folder, "plain.cfg.j2").write_text(PLAIN.format(blue=blue, green=green))
        playbook = Path(folder, "plain.yml")
        playbook.write_text(PLAYBOOK)

        def apply(share: int) -> float:
            command = ["ansible-playbook", str(playbook), "-e", f"share={share}"]
            return timed(
                lambda: subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            )

        try:
            apply(10)
            found = []
            for _ in range(times):
                found.append(apply(0))
                apply(10)
            return found
        finally:
            stop = "kill $(cat /run/plain.pid); rm -f /run/plain.pid /run/plain.sock /tmp/plain.cfg"
            ssh = ["local-cloud", "ssh", "local-proxy-1", f"sudo sh -c '{stop}'"]
            subprocess.run(ssh, check=False, capture_output=True)


def under_load(traffic: Haproxy, colours: tuple[str, str], seconds: float) -> dict[str, Any]:
    """Change weights, promote and roll back all the while; return what customers met."""
    changes = 0
    with Load(address("local-proxy-1"), RATE) as load:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            live = traffic.status().live
            idle = colours[1] if live == colours[0] else colours[0]
            for share in (0.05, 0.2, 0.5):
                traffic.set(idle, share, 60)
                time.sleep(0.5)
            traffic.promote(idle)
            time.sleep(0.5)
            traffic.promote(live)
            changes += 5
    return {
        "requests": sum(load.sent.values()),
        "failed": sum(load.failed.values()),
        "why": dict(load.why),
        "changes": changes,
        "rate": RATE,
        "seconds": seconds,
    }


def main(seconds: float) -> None:
    """Measure everything, print it, and leave it in ``.run/local/bench-release.json``."""
    environment = find_place("local", None).environment
    traffic = traffic_of(environment)
    live = traffic.status().live
    idle = environment.other(live)
    found: dict[str, Any] = {
        "to zero traffic": [zero(traffic, idle) for _ in range(TIMES)],
        "canary promote": [],
        "canary rollback": [],
    }
    for _ in range(PLAIN_TIMES):
        found["canary promote"].append(canary("promote", "--colour", idle))
        found["canary rollback"].append(canary("rollback"))
        if traffic.status().live != live:
            traffic.promote(live)
    found["plain: template and reload"] = plain(PLAIN_TIMES)
    medians = {name: round(statistics.median(values), 3) for name, values in found.items()}
    worst = {name: round(max(values), 3) for name, values in found.items()}
    load = under_load(traffic, environment.colours, seconds) if seconds else {}
    document = {"medians": medians, "worst": worst, "load": load, "uptime": os.getloadavg()}
    Path(ROOT, ".run/local/bench-release.json").write_text(json.dumps(document, indent=2) + "\n")
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0)
