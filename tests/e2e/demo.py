"""The demonstration: ``make demo``.

Every step is a command that a user would type; it is printed before it runs. The result is written
to ``.run/local/demo.json``, which the end-to-end tests read.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from typing import Any
from urllib.request import Request, urlopen

from rich.console import Console

from tests.support.paths import ROOT
from tests.support.releases import git, release

BAD = "error=503:0.2"
STORY = ROOT / ".run/local/demo.json"
ENOUGH_REQUESTS = 600
SHOPPERS = 150
"""Each sends a request a second: three times the default rules harm out in a minute."""
console = Console(highlight=False, soft_wrap=True)


class DemoError(Exception):
    """A step failed."""


@dataclasses.dataclass(frozen=True)
class Canary:
    """The output of ``canary run --json`` and its exit status."""

    status: int
    seconds: float
    told: dict[str, Any]


def title(text: str) -> None:
    console.print(f"\n[bold cyan]==> {text}[/]")


def call(*command: str) -> None:
    """Run a command with its output on the screen; it must succeed."""
    console.print(f"[bold]$ {shlex.join(command)}[/]")
    began = time.monotonic()
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    if status:
        raise DemoError(f"{shlex.join(command)} ended with status {status}")
    console.print(f"[dim]({time.monotonic() - began:.0f} s)[/]")


def answer(*command: str) -> Any:
    """Run a command and parse its JSON output."""
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def canary(ref: str, expected: int) -> Canary:
    """Run a canary with its live table on the screen, and check its exit status."""
    command = ["canary", "run", "--env", "local", "--candidate", ref, "--json"]
    console.print(f"[bold]$ {shlex.join(command)}[/]")
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    seconds = time.monotonic() - began
    if done.returncode != expected:
        raise DemoError(f"canary ended with {done.returncode}, not {expected}: {done.stdout}")
    console.print(f"[dim](exit status {done.returncode} after {seconds:.0f} s)[/]")
    return Canary(done.returncode, seconds, json.loads(done.stdout))


def address(name: str) -> str:
    """Return the address of a host of the local cloud."""
    hosts = answer("local-cloud", "status", "--json")["hosts"]
    return str(next(host["ip"] for host in hosts if host["name"] == name))


def other(colour: str) -> str:
    """Return the other colour."""
    return {"blue": "green", "green": "blue"}[colour]


def released() -> bool:
    """Return whether the shop already runs, from an earlier demonstration."""
    states = answer("canary", "status", "--env", "local", "--json")["proxy"]["states"]
    return all(state.startswith("UP") for state in states.values())


def locust(path: str, method: str = "GET") -> Any:
    """Send a request to Locust's web interface."""
    url = f"http://{address('local-monitor-1')}:8089{path}"
    with urlopen(Request(url, method=method), timeout=10) as reply:
        return json.load(reply)


def failures() -> int:
    """Return how many requests have failed since Locust reset its counters."""
    return int(locust("/stats/requests")["stats"][-1]["num_failures"])


def wait_for_shoppers() -> None:
    """Wait for the first requests; the canary itself waits until their metrics are published."""
    while locust("/stats/requests")["stats"][-1]["num_requests"] < ENOUGH_REQUESTS:
        time.sleep(1)


def tell(good: Canary, bad: Canary, before: int, during: int, seconds: float) -> None:
    """Print what happened, where to look, and how to remove it."""
    shop, monitor = address("local-proxy-1"), address("local-monitor-1")
    title(f"Done in {seconds / 60:.1f} minutes")
    for line in (
        f"Good release: {good.told['verdict']}, promoted; {good.told['live']} is live now.",
        f"Bad release:  {bad.told['verdict']}: {bad.told['reason']}.",
        f"              Its traffic went back to 0 %; {bad.told['live']} is still live.",
        f"Requests that failed: {before} until the bad release came, {during} by its own fault.",
        "",
        f"The shop:     http://{shop}/",
        f"Locust:       http://{monitor}:8089/",
        f"Live panels:  http://{monitor}:9090/consoles/shop.html",
        "Alarms:       canary alarms --env local    Their mails: .run/local/cloud/mail",
        f"Good report:  {good.told['report']}",
        f"Bad report:   {bad.told['report']}",
        "Again: make demo    Look: make status    Remove it all: make destroy",
    ):
        console.print(line)


def main() -> None:
    """Run the demonstration; the exit status is 0 only if every step succeeded."""
    began = time.monotonic()
    STORY.unlink(missing_ok=True)
    title("An environment: seven hosts, and all that they need")
    call("ansible-playbook", "site.yml")
    if not released():
        title("The first release, on both colours")
        call("canary", "deploy", "HEAD", "--env", "local", "--everywhere")
    title("Shoppers")
    call("ansible-playbook", "playbooks/load.yml", "-e", "load=start", "-e", f"users={SHOPPERS}")
    wait_for_shoppers()
    before = answer("canary", "status", "--env", "local", "--json")["live"]

    title("A good release")
    release("good", "", f"A good release, of {time.strftime('%H:%M:%S')}")
    good = canary("refs/demo/good", 0)
    failed = failures()
    title("A bad release: every fifth request fails")
    release("bad", BAD, "A release that fails every fifth request")
    bad = canary("refs/demo/bad", 1)
    own = failures() - failed
    call("ansible-playbook", "playbooks/load.yml", "-e", "load=stop")

    seconds = time.monotonic() - began
    story = {
        "before": before,
        "good": dataclasses.asdict(good),
        "bad": dataclasses.asdict(bad),
        "failures_before_bad": failed,
        "failures_of_bad": own,
        "seconds": seconds,
        "commit": git("rev-parse", "HEAD"),
    }
    STORY.write_text(json.dumps(story, indent=2) + "\n", encoding="utf-8")
    tell(good, bad, failed, own, seconds)


if __name__ == "__main__":
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    except DemoError as error:
        console.print(f"[bold red]The demonstration did not go as it should:[/] {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("Stopped. Remove what is there: make destroy")
        sys.exit(130)
