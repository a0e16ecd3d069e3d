"""A deployment and site.yml, interrupted again and again under load.

A deployment is interrupted after each task of each host, changed or not, each time with a new
release, and then run to its end. site.yml is interrupted after each of its changes, in a chain:
each run starts where the previous one stopped, and the last one completes. Where a task of site.yml
changes nothing, an interruption would leave the same state as the one before.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tests.chaos.hosts import power, shop, terminate
from tests.chaos.load import Load
from tests.chaos.orders import compare, orders
from tests.chaos.row import RATE, Row, agrees, status, unlocked
from tests.e2e.demo import address, other
from tests.support.paths import ROOT
from tests.support.releases import release

LOG = ROOT / ".run/local/chaos/tasks.log"
LONGEST = 5400.0
"""Time limit of the load in seconds. Without load, an interruption could not fail a request."""
CALLBACKS = Path(__file__).parent / "callbacks"


class Done(NamedTuple):
    """A successful task of a host, and whether it changed something."""

    name: str
    changed: bool


Tell = Callable[[Row], None]
Command = list[str]
Prepare = Callable[[], Command]
CutOff = Callable[[Prepare, list[str]], tuple[int, list[str]]]


def run(command: Command, after: Collection[str] = ()) -> tuple[int, list[Done]]:
    """Run a playbook that is killed after one of these tasks; return status and tasks."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_text("")
    environment = {
        **os.environ,
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "cut",
        "CUT_AFTER": json.dumps(sorted(after)),
        "CUT_LOG": str(LOG),
    }
    with LOG.with_suffix(".out").open("wb") as output:
        done = subprocess.run(
            command, cwd=ROOT, check=False, env=environment, stdout=output, stderr=output
        )
    return done.returncode, [Done(*json.loads(line)) for line in LOG.read_text().splitlines()]


def deployment() -> Command:
    """Return the command that deploys a new release to the idle colour."""
    made = release("cut", "", f"A release whose deployment is cut off, {time.time_ns()}")
    return ["canary", "deploy", made, "--env", "local"]


def site() -> Command:
    """Terminate an idle host, so that there is work; return the command that replaces it."""
    terminate(shop(other(status()["live"]), 2))
    return ["ansible-playbook", "site.yml"]


def restarted(prepare: Prepare, after: list[str]) -> tuple[int, list[str]]:
    """Restart an idle host after each task of a deployment; return the same as ``alone``."""
    number, broken = 0, []
    for name in after:
        command = prepare()
        host = shop(other(status()["live"]), 1)
        with ThreadPoolExecutor() as pool:
            deployment = pool.submit(run, command)
            number += _done(name, deployment)
            power(host, running=False)
            power(host, running=True)
            deployment.result()
        again, _ = run(command)
        broken += [f"{name} ({again})"] * bool(again)
        sys.stderr.write(f"{number} of {len(after)}: restarted after {name}\n")
    return number, broken


def _done(name: str, deployment: Future[Any]) -> bool:
    """Wait until a task or the deployment is done. Return whether the deployment still runs."""
    while not deployment.done():
        lines = LOG.read_text().splitlines() if LOG.exists() else []
        if name in (json.loads(line)[0] for line in lines if line.endswith("]")):
            return True
        time.sleep(0.1)
    return False


def alone(prepare: Prepare, after: list[str]) -> tuple[int, list[str]]:
    """Interrupt one run after each task. Return how many, and which repetitions failed."""
    number, broken = 0, []
    for name in after:
        command = prepare()
        code, tasks = run(command, {name})
        number += bool(code and tasks and tasks[-1].name == name)
        sys.stderr.write(f"{number} of {len(after)}: cut after {name}\n")
        again, _ = run(command)
        broken += [f"{name} ({again})"] * bool(again)
    return number, broken


def chained(prepare: Prepare, after: list[str]) -> tuple[int, list[str]]:
    """Interrupt a chain of runs; each continues the previous one, and the last completes."""
    command, left = prepare(), set(after)
    while True:
        code, tasks = run(command, left)
        if code != -signal.SIGKILL:
            broken = [f"the run after {len(after) - len(left)} cuts ({code})"] * bool(code)
            return len(after) - len(left), broken
        left.remove(tasks[-1].name)
        sys.stderr.write(f"{len(after) - len(left)} of {len(after)}: cut after {tasks[-1].name}\n")


def interrupted(name: str, prepare: Prepare, after: list[str], cut_off: CutOff) -> Row:
    """Interrupt a playbook after each of these tasks and run it again, under load."""
    live = unlocked()["live"]
    row = Row(name, kind="cut", to_zero=0.0)
    with Load(address("local-proxy-1"), RATE, longest=LONGEST) as load:
        time.sleep(3)
        number, broken = cut_off(prepare, after)
        time.sleep(2)
        row.load_average = os.getloadavg()[0]
    row.ended = str(number)
    row.problem = "" if number else "it was never cut off"
    if load.ran_out:
        row.problem = "the load ended before the last cut: ask for fewer --cuts"
    row.next = f"NO: {', '.join(broken)}" if broken else "works"
    row.sent, row.failed, row.why = dict(load.sent), dict(load.failed), dict(load.why)
    row.agrees = agrees(live)
    row.books = compare(load.told, orders(load.run))
    return row


INTERRUPTIONS: tuple[tuple[str, Prepare, CutOff], ...] = (
    ("deploy cut", deployment, alone),
    ("site.yml cut", site, chained),
    ("host restarted", deployment, restarted),
)
MOST_RESTARTS = 6


def interruptions(only: str, cuts: int, seed: int, tell: Tell) -> list[Row]:
    """Interrupt both playbooks under load, at a seeded sample of all boundaries."""
    rows = []
    for name, prepare, way in INTERRUPTIONS:
        if not cuts or not any(part in name for part in only.split(",")):
            continue
        code, tasks = run(prepare())
        if code:
            raise SystemExit(f"{name} does not work uncut: see {LOG.with_suffix('.out')}")
        # once each, even if a host repeats a task of that name without a change
        every = list(dict.fromkeys(n for n, changed in tasks if changed or way != chained))
        most = MOST_RESTARTS if way is restarted else cuts
        drawn = set(random.Random(seed).sample(every, min(cuts, most, len(every))))  # noqa: S311
        sys.stderr.write(f"{name}: {len(drawn)} of {len(every)} times\n")
        rows.append(interrupted(name, prepare, [n for n in every if n in drawn], way))
        rows[-1].reason = f"{len(every)} {'changes' if way is chained else 'tasks'}"
        tell(rows[-1])
    return rows
