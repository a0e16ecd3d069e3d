"""Plain frozen values that all parts share. No behaviour, no I/O.

Times are whole seconds since the epoch, at the *start* of a period. Shares are fractions of all
traffic, from 0 to 1. A missing value is ``None``, never NaN and never 0.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from canary.learned import Calibration


class Verdict(enum.StrEnum):
    """PASS: harm beyond the margin is ruled out. FAIL: harm is shown. INCONCLUSIVE: neither."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class Arm(enum.StrEnum):
    """The two sides of a comparison."""

    BASELINE = "baseline"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class Release:
    """The release that runs on one arm."""

    name: str
    commit: str
    colour: str
    instances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """The intended share of all traffic of each arm, from ``start`` on.

    ``equal_footing`` is true when every instance in both arms carries the same load, so that
    metrics that depend on load (CPU, memory) may be compared.
    """

    start: int
    candidate: float
    baseline: float
    equal_footing: bool


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one instance over the periods of a canary; all tuples have one length.

    Attributes:
        times: period starts, ascending, multiples of the period, without duplicates.
        values: the statistic that the policy names (for counts: the number of events).
        samples: how many observations stand behind each value (for counts: the requests).
        spread: standard deviation of the log of one observation, where the source can tell
            (from p90 and p50); empty when it cannot.
        infinite: the times at which the source's value was infinite; ``values`` lacks it there.
        late: time and look of each value that was still missing when its period was first judged.
    """

    metric: str
    arm: Arm
    instance: str
    times: tuple[int, ...]
    values: tuple[float | None, ...]
    samples: tuple[float | None, ...]
    spread: tuple[float | None, ...] = ()
    infinite: tuple[int, ...] = ()
    late: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a canary, as its report lists it."""

    time: int
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class LeadIn:
    """Data of both arms on the live release, before the candidate was deployed.

    Attributes:
        step: the shares of traffic, and the start.
        end: of the data.
    """

    step: Step
    end: int
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """All data behind a verdict. Replaying it gives the same verdict, bit for bit.

    Attributes:
        period: length of a period in seconds.
        looks: ends of the data that each judgement saw, ascending; a point of a period that
            starts at t belongs to the judgement at ``look`` when t + period <= look.
        split: requests that the proxy itself counted per arm, by step index.
        calibration: noise learned from earlier runs, as ``canary rehearse`` wrote it.
        lead_in: what both arms showed on the live release; None without a lead-in.
    """

    environment: str
    period: int
    baseline: Release
    candidate: Release
    steps: tuple[Step, ...]
    series: tuple[Series, ...]
    looks: tuple[int, ...] = ()
    split: tuple[tuple[int, Arm, int], ...] = ()
    events: tuple[Event, ...] = ()
    calibration: Calibration = field(default_factory=Calibration)
    lead_in: LeadIn | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The judgement of one metric at one look.

    ``effect``, ``low``, ``high`` and ``margin`` share one scale, on which positive is harm:
    a relative change (0.12 is 12 % worse) when ``relative``, else the metric's own unit.
    ``towards_fail`` and ``towards_pass`` say how far the evidence has come to each decision
    line: 0 is none, 1 is reached. ``silent``: the candidate has stopped reporting it.
    """

    metric: str
    verdict: Verdict
    sentence: str
    critical: bool
    muted: bool = False
    group: str = ""
    weight: float = 1.0
    relative: bool = True
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    towards_fail: float = 0.0
    towards_pass: float = 0.0
    periods: int = 0
    silent: bool = False
    score: float | None = None
    details: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of one look, its reason, and the finding of every metric.

    ``quality`` holds sentences about the data (a skewed split, gaps, one instance per arm);
    ``advice`` says what would decide an INCONCLUSIVE canary.
    """

    at: int
    verdict: Verdict
    reason: str
    findings: tuple[Finding, ...]
    quality: tuple[str, ...] = ()
    advice: str = ""
    score: float | None = None
