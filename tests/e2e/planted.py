"""Canaries of releases with planted harm on the booted hosts, and what proxy and users saw.

The base release answers 20 ms later than the shop does, and has a cache that fills up. So a
candidate can be 50 % slower by more than a negligible amount, and a fresh process has less memory
than one that has served for minutes.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import yaml
from shop_traffic.runtime import Seen

from canary.recording import load_recording
from tests.chaos.hosts import PROXY, machine, shop
from tests.chaos.watch import servers
from tests.e2e.demo import Hosts, call, failures, other, status
from tests.support.paths import ROOT
from tests.support.policies import write_changed_policy
from tests.support.releases import release
from tests.support.repeater import Repeater

BASE = "latency=20ms cache=30MB"
PATIENT = {"minimum": "10m", "maximum": "12m"}
"""The limits of a canary that must not pass before its fault begins."""
POLICY = ROOT / ".run/local/planted.yml"
LOG = ROOT / ".run/local/planted.jsonl"
CATALOGUE = ROOT / "inventory/shared/metrics.yml"
JUDGED = (0, 1, 3)
"""Exit statuses of canaries with a verdict."""
LAST_WEIGHT = 3.0
"""Seconds to watch the proxy for after the canary has ended."""


@dataclass(frozen=True)
class Outcome:
    """A canary, and what the proxy saw of it. Times are in seconds.

    Attributes:
        failed: responses of the candidate with 5xx, at the proxy.
        locust: failed requests that Locust counted.
        to_first: from the first traffic to the first failed request.
        to_fail: from the first failed request to the verdict.
        to_zero: from the first failed request to weight 0.
        periods: begun since the first failed request and judged by the verdict.
        judged: from the first judged period to the verdict.
    """

    verdict: str
    reason: str
    told: str
    report: str
    failed: int
    locust: int
    to_first: float | None
    to_fail: float | None
    to_zero: float | None
    periods: int | None
    judged: float
    load: float
    directory: str


class ProxyLog(Repeater):
    """Records the weights and the failed responses of all servers five times a second."""

    pause = 0.2

    def __init__(self) -> None:
        super().__init__()
        machine(PROXY)
        self.seen: list[tuple[float, dict[str, Seen]]] = []

    def look(self) -> None:
        if found := servers():
            self.seen.append((time.time(), found))

    def weighted(self, colour: str) -> list[float]:
        """Return the times at which a colour had a weight."""
        return [at for at, found in self.seen if total(found, colour, "weight")]

    def failing(self, colour: str) -> list[float]:
        """Return the times from the first failed response of a colour on."""
        first = total(self.seen[0][1], colour, "errors")
        return [at for at, found in self.seen if total(found, colour, "errors") > first]

    def failed(self, colour: str) -> int:
        """Return the number of failed responses of a colour."""
        first, last = (total(found, colour, "errors") for _, found in (self.seen[0], self.seen[-1]))
        return last - first


def total(found: Mapping[str, Seen], colour: str, what: str) -> int:
    return sum(getattr(seen, what) for name, seen in found.items() if name.startswith(colour))


def patient(period: str = "5s") -> Callable[[dict[str, Any]], None]:
    """Return a change of a policy that lets no canary pass within ten minutes."""

    def change(policy: dict[str, Any]) -> None:
        policy.update({**PATIENT, "period": period})

    return change


def unchanged(policy: dict[str, Any]) -> None:
    """Leave the policy of the demonstration as it is."""


def with_catalogue_memory(policy: dict[str, Any]) -> None:
    """Give the metric memory the settings of the catalogue, as an account has them."""
    catalogue = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))["metric_catalogue"]
    [own] = [row for row in catalogue if row["name"] == "memory"]
    [wide] = [metric for metric in policy["metrics"] if metric["name"] == "memory"]
    wide.update(own["judge"][0])


def deploy_base() -> None:
    """Install the base release on both colours."""
    base = release("planted-base", BASE, "The base of canaries with planted harm")
    call("canary", "deploy", base, "--env", "local", "--everywhere")


def bad_host() -> str:
    """Return the name of the host, as metrics have it, that is to be the bad one of two."""
    return machine(shop(other(status("local")["live"]), 1)).name


def run(faults: str, change: Callable[[dict[str, Any]], None] = unchanged) -> Outcome:
    """Run a canary of the base release with more faults, under the load that is there."""
    write_changed_policy(POLICY, change)
    subject = f"A release of {time.strftime('%H:%M:%S')}"
    made = release("planted", f"{BASE} {faults}".strip(), subject)
    colour, before = other(status("local")["live"]), failures_of_locust()
    command = ["canary", "run", "--policy", str(POLICY), "--candidate", made, "--json"]
    with ProxyLog() as log:
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        time.sleep(LAST_WEIGHT)
    assert done.returncode in JUDGED, done.stdout + done.stderr
    found = outcome(json.loads(done.stdout), done.stderr, log, colour, before)
    keep(faults, found)
    return found


def outcome(
    told: Mapping[str, Any], screen: str, log: ProxyLog, colour: str, before: int
) -> Outcome:
    directory = ROOT / ".run/local/canaries" / told["canary"]
    recording = load_recording(directory / "recording.json")
    report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    end = next(event["time"] for event in report["events"] if event["kind"] == "end")
    carried, failing = log.weighted(colour), log.failing(colour)
    onset = failing[0] if failing else None
    zero = carried[-1] + log.pause if carried else end
    periods = None
    if onset is not None:
        periods = math.ceil((recording.looks[-1] - onset) / recording.period)
    return Outcome(
        verdict=str(told["verdict"]),
        reason=str(told["reason"]),
        told=screen,
        report=(directory / "report.html").read_text(encoding="utf-8"),
        failed=log.failed(colour),
        locust=failures_of_locust() - before,
        to_first=None if onset is None else onset - carried[0],
        to_fail=None if onset is None else end - onset,
        to_zero=None if onset is None else zero - onset,
        periods=periods,
        judged=end - recording.steps[0].start,
        load=os.getloadavg()[0],
        directory=str(directory),
    )


def keep(faults: str, found: Outcome) -> None:
    """Add the numbers of a canary to a file."""
    numbers = {"faults": faults, **asdict(found), "report": "", "told": ""}
    with LOG.open("a", encoding="utf-8") as file:
        file.write(json.dumps(numbers) + "\n")


def failures_of_locust() -> int:
    """Return how many requests have failed at the shoppers."""
    return failures(Hosts())
