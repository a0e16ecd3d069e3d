"""A deployment and site.yml, cut off between two tasks, and run again: what customers met."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.hosts import shop, terminate
from tests.chaos.load import Load
from tests.chaos.orders import compare, orders
from tests.chaos.row import RATE, Row, agrees, status, unlocked
from tests.e2e.demo import address, other
from tests.e2e.releases import ROOT, release

LOG = ROOT / ".run/local/chaos/tasks.log"
CALLBACKS = Path(__file__).parent / "callbacks"
Tell = Callable[[Row], None]
Command = list[str]


def run(command: Command, cut: int) -> tuple[int, list[str]]:
    """Run a command whose playbook ends before task ``cut``; return its status and the tasks."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_text("")
    environment = {
        **os.environ,
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "cut",
        "CUT_AT": str(cut),
        "CUT_LOG": str(LOG),
    }
    with LOG.with_suffix(".out").open("wb") as output:
        done = subprocess.run(
            command, cwd=ROOT, check=False, env=environment, stdout=output, stderr=output
        )
    return done.returncode, LOG.read_text().splitlines()


def deployment(mark: str) -> Command:
    """Return the command that puts a release on the idle colour that no host has."""
    made = release("cut", "", f"A release whose deployment is cut off, {mark}, {time.time_ns()}")
    return ["canary", "deploy", made, "--env", "local"]


def site(_mark: str) -> Command:
    """End an idle host, so that there is something to do; return what brings it back."""
    idle = other(status()["live"])
    terminate(shop(idle, 2))
    return ["ansible-playbook", "site.yml"]


def interruptions(only: str, cuts: int, seed: int, tell: Tell) -> list[Row]:
    """Cut each of the two at a seeded sample of its task boundaries, under load."""
    draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
    rows = []
    for word, prepare in (("deploy", deployment), ("site.yml", site)):
        if not cuts or not any(part in f"{word} cut" for part in only.split(",")):
            continue
        code, tasks = run(prepare("whole"), 0)
        if code:
            raise SystemExit(f"{word} does not work uncut: see {LOG.with_suffix('.out')}")
        sys.stderr.write(f"{word} has {len(tasks)} tasks\n")
        for number in sorted(draw.sample(range(2, len(tasks) + 1), min(cuts, len(tasks) - 1))):
            name = f"{word} cut before task {number} of {len(tasks)}"
            rows.append(interrupted(name, prepare(str(number)), number))
            tell(rows[-1])
    return rows


def interrupted(name: str, command: Command, number: int) -> Row:
    """Run it until its n-th task and once more, under load."""
    live = unlocked()["live"]
    row = Row(name, kind="cut", to_zero=0.0)
    with Load(address("local-proxy-1"), RATE) as load:
        time.sleep(3)
        code, tasks = run(command, number)
        cut_at = tasks[-1] if tasks else "nothing"
        row.ended = f"cut: {cut_at}" if code and len(tasks) == number else f"NOT CUT ({code})"
        again, _ = run(command, 0)
        row.next = "works" if again == 0 else f"NO ({again})"
        time.sleep(2)
        row.load_average = os.getloadavg()[0]
    row.sent, row.failed, row.why = dict(load.sent), dict(load.failed), dict(load.why)
    row.agrees = agrees(live)
    row.books = compare(load.told, orders(load.run))
    return row
