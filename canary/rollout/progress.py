"""What one canary has done and seen so far, and the recording that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from canary.model import Arm, Event, Judgement, Recording, Release, Step
from canary.rollout.collect import ProxyCounts, Readings
from canary.traffic.base import Status

EVEN = 0.01
"""How far from even two instances' shares may be and still count as equal load."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """The two sides, and how they map to the proxy's servers.

    Attributes:
        servers: every server's arm and instance.
        matched: the live server that carries as much as a candidate's, if one does.
    """

    baseline: Release
    candidate: Release
    servers: dict[str, tuple[Arm, str]]
    matched: str | None

    def releases(self, *, equally_loaded: bool = False) -> dict[Arm, Release]:
        """Return the sides; those of what depends on load hold the matched instance alone.

        Whatever is counted per request is compared with every live instance: more evidence.
        """
        baseline = self.baseline
        if equally_loaded and self.matched is not None:
            baseline = replace(baseline, instances=(self.servers[self.matched][1],))
        return {Arm.BASELINE: baseline, Arm.CANDIDATE: self.candidate}

    def step(self, start: int, status: Status) -> Step:
        """Describe what the proxy now does, as the shares that it reports itself."""
        shares = {Arm.CANDIDATE: 0.0, Arm.BASELINE: 0.0}
        for server, (arm, _) in self.servers.items():
            shares[arm] += status.shares.get(server, 0.0)
        loads = [
            status.shares.get(server, 0.0)
            for server, (arm, _) in self.servers.items()
            if arm is Arm.CANDIDATE or self.matched in (server, None)
        ]
        return Step(
            start=start,
            candidate=shares[Arm.CANDIDATE],
            baseline=shares[Arm.BASELINE],
            equal_footing=max(loads) - min(loads) <= EVEN,
        )


@dataclass(slots=True)
class Progress:
    """Grows while the canary runs; nothing in it is ever changed afterwards.

    Attributes:
        expected: the release that each server has to answer as, where servers say it.
    """

    environment: str
    period: int
    pairing: Pairing
    readings: Readings
    counted: ProxyCounts
    calibration: dict[str, dict[str, float]]
    expected: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)

    def recording(self, events: Sequence[Event] = ()) -> Recording:
        """Return everything that a verdict was, or could be, made from."""
        return Recording(
            environment=self.environment,
            period=self.period,
            baseline=self.pairing.baseline,
            candidate=self.pairing.candidate,
            steps=tuple(self.steps),
            series=self.readings.series() + self.counted.series(),
            looks=tuple(self.looks),
            split=self.counted.split(),
            events=tuple(events),
            calibration=self.calibration,
        )


def pair(
    baseline: Release, candidate: Release, status: Status, shares: tuple[float, ...], *, match: bool
) -> Pairing:
    """Decide who is compared with whom.

    With two or more live servers, one of them is set to a candidate's load, so that what depends
    on load can be compared at every step. That takes room: at the greatest share each of the
    candidate's servers and this one carry the same, and together no more than everything.
    """
    live, raised = status.servers(baseline.colour), status.servers(candidate.colour)
    room = len(raised) / (len(raised) + 1)
    servers = {
        name: (arm, instance)
        for arm, names, release in (
            (Arm.BASELINE, live, baseline),
            (Arm.CANDIDATE, raised, candidate),
        )
        for name, instance in zip(names, release.instances, strict=True)
    }
    matched = live[0] if match and len(live) > 1 and max(shares) <= room else None
    return Pairing(baseline, candidate, servers, matched)
