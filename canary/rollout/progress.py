"""What one canary has done and seen so far, and the recording that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from canary.model import Arm, Event, Judgement, Recording, Release, Step
from canary.rollout.evidence import Counted, Evidence
from canary.traffic.base import Status

EVEN = 0.01
"""How far from even two instances' shares may be and still count as equal load."""


@dataclass(frozen=True, slots=True)
class Arms:
    """The two sides, and how they map to the proxy's servers.

    Attributes:
        servers: the servers whose traffic is compared, with their arm and instance.
        matched: the live server that carries as much as a candidate's, if one does.
    """

    baseline: Release
    candidate: Release
    servers: dict[str, tuple[Arm, str]]
    matched: str | None

    def step(self, start: int, share: float, status: Status) -> Step:
        """Describe what the proxy now does, as the shares that it reports itself."""
        ours = {Arm.CANDIDATE: 0.0, Arm.BASELINE: 0.0}
        for server, (arm, _) in self.servers.items():
            ours[arm] += status.shares.get(server, 0.0)
        each = [status.shares.get(server, 0.0) for server in self.servers]
        equal = max(each) - min(each) <= EVEN
        baseline = ours[Arm.BASELINE]
        return Step(start=start, candidate=share, baseline=baseline, equal_footing=equal)


@dataclass(slots=True)
class Progress:
    """Grows while the canary runs; nothing in it is ever changed afterwards."""

    environment: str
    period: int
    arms: Arms
    evidence: Evidence
    counted: Counted
    calibration: dict[str, dict[str, float]]
    steps: list[Step] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)

    def recording(self, events: Sequence[Event] = ()) -> Recording:
        """Return everything that a verdict was, or could be, made from."""
        return Recording(
            environment=self.environment,
            period=self.period,
            baseline=self.arms.baseline,
            candidate=self.arms.candidate,
            steps=tuple(self.steps),
            series=self.evidence.series() + self.counted.series(),
            looks=tuple(self.looks),
            split=self.counted.split(),
            events=tuple(events),
            calibration=self.calibration,
        )


def pair(
    baseline: Release, candidate: Release, status: Status, shares: tuple[float, ...], *, match: bool
) -> Arms:
    """Decide who is compared with whom.

    With two or more live servers, one of them is set to a candidate's load and is the baseline
    alone, so that what depends on load can be compared at every step. That takes room: at the
    greatest share every candidate's server and the baseline carry the same, and no more than all.
    """
    live, raised = status.servers(baseline.colour), status.servers(candidate.colour)
    room = len(raised) / (len(raised) + 1)
    matched = live[0] if match and len(live) > 1 and max(shares) <= room else None
    compared = dict(zip(live, baseline.instances, strict=True))
    if matched is not None:
        compared = {matched: compared[matched]}
    servers = {name: (Arm.BASELINE, instance) for name, instance in compared.items()}
    for name, instance in zip(raised, candidate.instances, strict=True):
        servers[name] = (Arm.CANDIDATE, instance)
    kept = replace(baseline, instances=tuple(compared.values()))
    return Arms(kept, candidate, servers, matched)
