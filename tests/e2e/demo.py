"""The demonstration: ``make demo``.

Every step is a command that a user would type; it is printed before it runs. The result is written
to ``.run/ENVIRONMENT/demo.json``, which the end-to-end tests read. Where no host can be booted, it
runs the same steps with processes of this machine.
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
from typing import Any, Protocol
from urllib.request import Request, urlopen

from rich.console import Console

from local_cloud.preflight import cannot_boot
from local_cloud.settings import Settings
from tests.support.paths import ROOT
from tests.support.releases import git, release

BAD = "error=503:0.2"
STORY = ROOT / ".run/local/demo.json"
ENOUGH_REQUESTS = 600
SHOPPERS = 150
"""Each sends one request per second. With three times the default, a minute is enough for PASS."""
console = Console(highlight=False, soft_wrap=True)


class DemoError(Exception):
    """A step failed."""


@dataclasses.dataclass(frozen=True)
class Canary:
    """The output of ``canary run --json`` and its exit status."""

    status: int
    seconds: float
    told: dict[str, Any]


class Stage(Protocol):
    """The place of the demonstration: booted hosts, or processes on this machine."""

    environment: str

    @property
    def locust(self) -> str:
        """The URL of Locust's web interface."""
        ...

    def set_up(self) -> None: ...
    def start_load(self) -> None: ...
    def stop_load(self) -> None: ...
    def pages(self) -> tuple[str, ...]:
        """Return the pages to look at afterwards."""
        ...


class Hosts:
    """Seven booted hosts of the local cloud, which keep running afterwards."""

    environment = "local"

    @property
    def locust(self) -> str:
        return f"http://{address('local-monitor-1')}:8089"

    def set_up(self) -> None:
        title("An environment: seven hosts, and all that they need")
        call("ansible-playbook", "site.yml")

    def start_load(self) -> None:
        load = ("-e", "load=start", "-e", f"users={SHOPPERS}")
        call("ansible-playbook", "playbooks/load.yml", *load)

    def stop_load(self) -> None:
        call("ansible-playbook", "playbooks/load.yml", "-e", "load=stop")

    def pages(self) -> tuple[str, ...]:
        monitor = address("local-monitor-1")
        return (
            f"The shop:     http://{address('local-proxy-1')}/",
            f"Locust:       http://{monitor}:8089/",
            f"Live panels:  http://{monitor}:9090/consoles/shop.html",
            "Alarms:       canary alarms --env local    Their mails: .run/local/cloud/mail",
            "Again: make demo    Look: make status    Remove it all: make destroy",
        )


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


def canary(ref: str, expected: int, environment: str = "local") -> Canary:
    """Run a canary with its live table on the screen, and check its exit status."""
    command = ["canary", "run", "--env", environment, "--candidate", ref, "--json"]
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


def status(environment: str) -> Any:
    """Return the output of ``canary status``."""
    return answer("canary", "status", "--env", environment, "--json")


def released(environment: str) -> bool:
    """Return whether the shop already runs, from an earlier demonstration."""
    return all_up(status(environment))


def all_up(found: Any) -> bool:
    """Return whether every server of the proxy is up, by what ``canary status`` says."""
    return all(state.startswith("UP") for state in found["proxy"]["states"].values())


def locust(path: str, method: str = "GET", stage: Stage | None = None) -> Any:
    """Send a request to Locust's web interface."""
    request = Request(f"{(stage or Hosts()).locust}{path}", method=method)  # noqa: S310 - http
    with urlopen(request, timeout=10) as reply:  # noqa: S310
        return json.load(reply)


def failures(stage: Stage) -> int:
    """Return how many requests have failed since Locust reset its counters."""
    return int(locust("/stats/requests", stage=stage)["stats"][-1]["num_failures"])


def wait_for_shoppers(stage: Stage | None = None) -> None:
    """Wait for the first requests; the canary itself waits until their metrics are published."""
    while locust("/stats/requests", stage=stage)["stats"][-1]["num_requests"] < ENOUGH_REQUESTS:
        time.sleep(1)


def tell(stage: Stage, good: Canary, bad: Canary, before: int, during: int, seconds: float) -> None:
    """Print the results, the pages to open, and the command that removes everything."""
    title(f"Done in {seconds / 60:.1f} minutes")
    for line in (
        f"Good release: {good.told['verdict']}, promoted; {good.told['live']} is live now.",
        f"Bad release:  {bad.told['verdict']}: {bad.told['reason']}.",
        f"              Its traffic went back to 0 %; {bad.told['live']} is still live.",
        f"Requests that failed: {before} until the bad release came, {during} by its own fault.",
        "",
        f"Good report:  {good.told['report']}",
        f"Bad report:   {bad.told['report']}",
        *stage.pages(),
    ):
        console.print(line)


def story(stage: Stage) -> None:
    """Run the demonstration; the exit status is 0 only if every step succeeded."""
    began, name = time.monotonic(), stage.environment
    place = STORY.parent.with_name(name) / STORY.name
    place.unlink(missing_ok=True)
    stage.set_up()
    if not released(name):
        title("The first release, on both colours")
        call("canary", "deploy", "HEAD", "--env", name, "--everywhere")
    title("Shoppers")
    stage.start_load()
    wait_for_shoppers(stage)
    before = status(name)["live"]

    title("A good release")
    release("good", "", f"A good release, of {time.strftime('%H:%M:%S')}")
    good = canary("refs/demo/good", 0, name)
    failed = failures(stage)
    title("A bad release: every fifth request fails")
    release("bad", BAD, "A release that fails every fifth request")
    bad = canary("refs/demo/bad", 1, name)
    own = failures(stage) - failed
    stage.stop_load()

    seconds = time.monotonic() - began
    document = {
        "before": before,
        "good": dataclasses.asdict(good),
        "bad": dataclasses.asdict(bad),
        "failures_before_bad": failed,
        "failures_of_bad": own,
        "seconds": seconds,
        "commit": git("rev-parse", "HEAD"),
    }
    place.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    tell(stage, good, bad, failed, own, seconds)


def main() -> int:
    if not (reason := cannot_boot(Settings.load())):
        story(Hosts())
        return 0
    # The import reads Ansible's inventory, which takes seconds, and booted hosts do not need it.
    from tests.e2e.processes.main import tell_on_processes

    return tell_on_processes(reason, story)


if __name__ == "__main__":
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except DemoError as error:
        console.print(f"[bold red]The demonstration did not go as it should:[/] {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("Stopped. Remove what is there: make destroy")
        sys.exit(130)
