"""The simulated environment of a canary."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path

from canary.artifact import Published
from canary.judge import judge
from canary.policy import Policy, parse_policy
from canary.rollout.archive import Archive
from canary.rollout.context import Context, Request
from canary.rollout.engine import run
from canary.rollout.lease import Keeper
from canary.rollout.lock import LOCK_SECONDS
from canary.rollout.outcome import Outcome
from canary.rollout.ports import Observer, Ports
from canary.rollout.timing import Timing
from canary.simulation.clock import Clock
from canary.simulation.memory import Memory
from canary.simulation.proxy import Proxy
from canary.simulation.service import Release, Service
from canary.simulation.source import Source
from canary.state.base import Holder, Live, Row

NAME = "simulation"
WHO = "canary try"
COLOURS = ("blue", "green")
START = 1_795_856_400.0
"""2026-11-28 09:00 UTC, on every machine."""
HISTORY = 120
"""Seconds of metrics before the first canary."""
DEPLOYMENT = 8.0
"""The duration of a deployment in seconds."""

RELEASES = {
    release.name: release
    for release in (
        Release("v1.0", "1f0c9b7d2a64"),
        Release("v1.1", "8a41d3e05c9f"),
        Release("v1.2", "c73e5f1b8d20", latency=55.0, errors=0.012),
    )
}


class World:
    """One environment, whose canaries run one after another.

    ``pace`` is the number of real seconds per simulated second. Another ``policy`` may use the
    simulation's metrics and the proxy's counters.
    """

    def __init__(self, *, seed: int = 1, pace: float = 0.0, policy: Policy | None = None) -> None:
        self.policy = policy or parse_policy(policy_text(), f"policy of {WHO}")
        self.clock = Clock(START, pace)
        self._service = Service(seed, self.policy.period)
        self._service.installed = dict.fromkeys(COLOURS, RELEASES["v1.0"])
        self._proxy = Proxy(self.clock, self._service, COLOURS)
        self._memory = Memory(Live(COLOURS[0], "v1.0"))
        self._memory.remember(_first())
        self.clock.skip(HISTORY)

    def run(self, name: str, ref: str, directory: Path, observer: Observer) -> Outcome:
        """Run one canary of a release; its files go to ``directory``."""
        request = Request(
            name=name, environment=NAME, colours=COLOURS, who=WHO, candidate=ref, source=NAME
        )
        archive = Archive(self.policy, directory, self._memory, WHO, ref)
        return run(self._context(request, observer), archive.keep)

    def _context(self, request: Request, observer: Observer) -> Context:
        timing, now = Timing.of(self.policy, settle=2), self.clock.now()
        holder = Holder(request.name, WHO, now, now + LOCK_SECONDS)
        ports = Ports(
            clock=self.clock,
            traffic=self._proxy,
            source=Source(self._proxy, self._service),
            state=self._memory,
            hooks=Deployment(self.clock, self._service),
            background=self.clock,
            observer=observer,
            judge=partial(judge, self.policy),
            publish=published,
            shield=lambda: None,
            unshield=lambda: None,
        )
        keeper = Keeper(timing, self.clock, self._proxy, self._memory, holder)
        return Context(request, self.policy, timing, ports, keeper)


def _first() -> Row:
    """Return the deployment of the first release, which is the first canary's baseline."""
    first = RELEASES["v1.0"]
    return Row(
        canary="first",
        started=START,
        ended=START,
        verdict="DEPLOYED",
        exit_status=0,
        baseline="",
        candidate=f"{first.name} {first.commit}",
        live=COLOURS[0],
        who=WHO,
        reason="Installed without a canary",
        colours=" ".join(COLOURS),
    )


class Deployment:
    """The only hook, which installs a release."""

    def __init__(self, clock: Clock, service: Service) -> None:
        self._clock = clock
        self._service = service

    def has(self, name: str) -> bool:
        return name == "deploy"

    def run(self, name: str, values: Mapping[str, str]) -> str:  # noqa: ARG002 - the protocol's
        self._clock.sleep(DEPLOYMENT)
        self._service.installed[values["colour"]] = RELEASES[values["release"]]
        return ""


def published(ref: str) -> Published:
    """Return a release of the simulation; nothing is built."""
    return Published(ref, ref, RELEASES[ref].commit, "", "", reused=False)


def policy_text() -> str:
    """Return the text of the policy."""
    return (files("canary.simulation") / "policy.yml").read_text(encoding="utf-8")
