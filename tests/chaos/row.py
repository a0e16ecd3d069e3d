"""One measurement: a canary under load with a fault, and its effect."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.chaos.fault import Fault, Scene
from tests.chaos.load import Load
from tests.chaos.orders import Books, compare, orders
from tests.chaos.relay import Relay
from tests.chaos.watch import Watch
from tests.e2e.demo import address, answer, other
from tests.support.paths import ROOT
from tests.support.policies import write_changed_policy

RATE = 30.0
FIRST_METRICS = 15.0
AT_WEIGHT = 240.0
LEAST_TRAFFIC = 3.0
"""Seconds for which a candidate carries traffic before the fault."""
GOES_ON = 30.0
"""Seconds for which load and canary continue with a fault."""
TO_THE_END = 240.0
"""Time limit in seconds for the end of a canary without evidence."""
LONGEST = {"maximum": "90s"}
"""The maximum of a canary in these tests, shorter than in the demonstration."""
PATIENT = {"minimum": "10m", "maximum": "12m"}
"""The limits of a canary that must not end by itself while a fault takes minutes."""
AGREES = 60.0
LAST_WORDS = 30.0
"""Time limit in seconds for a canary's report after its weight was removed."""
WENT_ON = "(went on)"
FAILURES = (RuntimeError, OSError, subprocess.SubprocessError, BotoCoreError, ClientError)
POLICY = ROOT / ".run/local/chaos-policy.yml"


@dataclass
class Row:
    """The effect of one fault.

    Attributes:
        above: seconds in which the candidate carried more than its share.
        unserved: seconds from the first to the last failed request, if no host could serve.
        next: whether the next canary started, which that canary records.
    """

    name: str
    evidence: bool = False
    kind: str = "fault"
    sent: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    why: dict[str, int] = field(default_factory=dict)
    books: Books = field(default_factory=lambda: Books(0, 0))
    to_zero: float | None = None
    above: float = 0.0
    unserved: float | None = None
    ended: str = "(not begun)"
    reason: str = ""
    problem: str = ""
    agrees: str = "NO"
    next: str = ""
    load_average: float = 0.0
    moment: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M}")

    @property
    def bad(self) -> bool:
        """Return whether an order was lost or doubled, PASS had no data, or the end was unsafe."""
        blind = self.evidence and self.ended == "PASS"
        unsafe = self.agrees != "yes" or self.next.startswith("NO")
        return bool(self.books.lost or self.books.doubled or blind or unsafe or self.problem)


def status() -> Any:
    return answer("canary", "status", "--env", "local", "--json")


def known_release() -> str:
    """Return the commit that was deployed last: hosts have it, so a canary starts quickly."""
    rows = answer("canary", "history", "--limit", "1000", "--env", "local", "--json")
    good = (row for row in rows if row["colours"] and row["verdict"] in ("DEPLOYED", "PASS"))
    return str(next(good)["candidate"]).split()[-1]


def write_policy(relay: Relay, limits: Mapping[str, str]) -> None:
    """Write a copy of the policy that uses the relay and other limits."""

    def change(policy: dict[str, Any]) -> None:
        policy["environment"]["endpoint_url"] = relay.endpoint
        policy.update(limits)

    write_changed_policy(POLICY, change)


def begin(relay: Relay, log: Path, limits: Mapping[str, str] = LONGEST) -> subprocess.Popen[str]:
    write_policy(relay, limits)
    command = ["canary", "run", "--policy", str(POLICY), "--candidate", known_release(), "--json"]
    with log.open("w") as stderr:
        return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=stderr)


def unlocked() -> Any:
    """Wait until the lock is free, and return the status. A lock expires in a minute."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with suppress(ValueError):  # no status
            found = status()
            if found["canary"] is None:
                return found
        time.sleep(1)
    raise SystemExit("The lock is not free: canary status --env local")


def carries(watch: Watch, canary: subprocess.Popen[str], colour: str) -> bool:
    """Wait until the candidate has had traffic for a while; return False if it never has."""
    deadline = time.monotonic() + AT_WEIGHT
    while not watch.now(colour):
        if canary.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    time.sleep(LEAST_TRAFFIC)
    return True


def suffer(name: str, faults: Sequence[Fault], relay: Relay, before: Row | None) -> Row:
    """Start a canary under load, inflict the faults once it has traffic, and measure."""
    found = unlocked()
    live = found["live"]
    idle = other(live)
    row = Row(name, evidence=any(fault.evidence for fault in faults))
    log = ROOT / f".run/local/chaos/{name.replace(' ', '-').replace('/', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with Load(address("local-proxy-1"), RATE) as load, Watch() as watch:
        time.sleep(FIRST_METRICS)
        patient = any(fault.minutes for fault in faults)
        canary = begin(relay, log, PATIENT if patient else LONGEST)
        began = carries(watch, canary, idle)
        if before is not None:
            before.next = "ran" if began else "NO"
        if began:
            endure(Scene(live, idle, canary, relay, load), faults, row, watch)
        else:
            row.problem = "the canary never set a weight, so no fault was inflicted"
        if row.to_zero is not None:  # it may be ending by itself
            with suppress(subprocess.TimeoutExpired):
                canary.wait(LAST_WORDS)
        row.ended, row.reason = ended(canary)
        if row.ended == WENT_ON and row.to_zero is not None:
            row.ended = "(stopped, its weight was gone)"
        row.load_average = os.getloadavg()[0]
    row.sent, row.failed, row.why = dict(load.sent), dict(load.failed), dict(load.why)
    if not all(fault.served for fault in faults):
        times = [moment for moment, kind in load.when if kind]
        row.unserved = max(times) - min(times) if times else 0.0
    row.agrees = agrees(live if row.ended != "PASS" else idle)
    row.books = compare(load.told, orders(load.run))
    return row


def endure(scene: Scene, faults: Sequence[Fault], row: Row, watch: Watch) -> None:
    at = time.monotonic()
    try:
        for fault in faults:
            fault.inflict(scene)
        until = at + (TO_THE_END if row.evidence else GOES_ON)
        while time.monotonic() < until and (not row.evidence or scene.canary.poll() is None):
            time.sleep(0.2)
        row.to_zero = watch.zero_after(at, scene.idle)
        row.above = watch.above_after(at, scene.idle)
    except FAILURES as error:
        row.problem = f"not inflicted: {error}"
    finally:
        for fault in faults:
            _heal(fault, scene, row)
    if row.evidence and row.to_zero is None:
        time.sleep(1)
        row.to_zero = watch.zero_after(at, scene.idle)


def _heal(fault: Fault, scene: Scene, row: Row) -> None:
    """Repair a fault. Report a failed repair, so that the other faults are still repaired."""
    try:
        fault.heal(scene)
    except FAILURES as error:
        row.problem = row.problem or f"not healed: {error}"


def ended(canary: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for the canary or stop it with a signal; return its verdict and its reason."""
    stopped = canary.poll() is None
    if stopped:
        canary.send_signal(signal.SIGCONT)
        canary.terminate()
    out, _ = canary.communicate(timeout=180)
    if canary.returncode < 0:
        return "(killed)", ""
    told = json.loads(out)
    if stopped and told["reason"].startswith("Stopped by"):
        return WENT_ON, told["reason"]
    return str(told["verdict"] or "COULD NOT RUN"), told["reason"]


def agrees(live: str) -> str:
    """Wait until state and proxy agree that ``live`` has all traffic, or return the difference."""
    deadline = time.monotonic() + AGREES
    idle = other(live)
    problem = "NO"
    while time.monotonic() < deadline:
        try:
            found = status()
        except ValueError:  # no status
            problem = "NO: no response"
            continue
        weights = found["proxy"]["weights"]
        given = sum(value for server, value in weights.items() if server.startswith(idle))
        if not found["differences"] and found["live"] == live and not given:
            return "yes"
        problem = f"NO: {'; '.join(found['differences']) or weights}"
        time.sleep(1)
    return problem
