"""The steps and data of a canary so far, and its recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from canary.learned import Calibration
from canary.model import Arm, Event, Judgement, LeadIn, Recording, Release, Step
from canary.rollout.collect import ProxyCounts, Readings
from canary.traffic.base import Status

EVEN = 0.01
"""Difference between two instances' shares that still counts as equal load."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """The two releases, and the proxy's servers of each.

    Attributes:
        servers: the arm and the instance of each server.
        matched: the live server with the same load as one of the candidate's, if there is one.
    """

    baseline: Release
    candidate: Release
    servers: dict[str, tuple[Arm, str]]
    matched: str | None

    def releases(self, *, equally_loaded: bool = False) -> dict[Arm, Release]:
        """Return the release of each arm; ``equally_loaded``: with only the matched live instance.

        Metrics per request are compared with every live instance, which gives more data.
        """
        baseline = self.baseline
        if equally_loaded and self.matched is not None:
            baseline = replace(baseline, instances=(self.servers[self.matched][1],))
        return {Arm.BASELINE: baseline, Arm.CANDIDATE: self.candidate}

    def step(self, start: int, status: Status) -> Step:
        """Return a step with the shares that the proxy reports."""
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
    """The record of a running canary. Entries are added, never changed.

    Attributes:
        expected: the release that each server must report, where servers report it.
        index, began: the step of the policy, and its start; the recording may have more steps.
        share: the candidate's intended share of traffic.
        weights: those of the newest step.
        steady: the metrics that the live release reported in each of the last earlier periods.
        lead_in: the data of both arms while they ran the live release.
    """

    environment: str
    period: int
    pairing: Pairing
    readings: Readings
    counted: ProxyCounts
    calibration: Calibration
    expected: dict[str, str] = field(default_factory=dict)
    steady: frozenset[str] = frozenset()
    index: int = -1
    began: int = 0
    share: float = 0.0
    weights: Mapping[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    lead_in: LeadIn | None = None

    def begin(self, start: int, status: Status) -> None:
        """Begin a step of the recording, with the shares that the proxy reports."""
        self.steps.append(self.pairing.step(start, status))
        self.weights = status.weights

    def recording(self, events: Sequence[Event] = ()) -> Recording:
        """Return all data behind the verdicts."""
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
            lead_in=self.lead_in,
        )


def pair(
    baseline: Release, candidate: Release, status: Status, shares: tuple[float, ...], *, match: bool
) -> Pairing:
    """Decide which servers are compared.

    With two or more live servers, one of them gets the load of one of the candidate's, so that
    metrics that depend on load can be compared at every step. That requires room: at the largest
    share, the candidate's servers and this one carry equal loads, which together must not exceed
    all traffic.
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
