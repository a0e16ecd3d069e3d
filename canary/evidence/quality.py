"""Whether the evidence can be trusted: gaps, too little traffic, a split other than intended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from canary.evidence.liveness import reported_periods
from canary.evidence.pairs import Pairs, counted_share, meant_share, needs_samples
from canary.formatting import number, percentage
from canary.model import Arm, Recording
from canary.policy import Metric, Policy


@dataclass(frozen=True, slots=True)
class Quality:
    """Sentences about the evidence; while one of ``blocking`` stands, nothing can PASS."""

    blocking: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of them, the grave ones first."""
        return self.blocking + self.notes


def quality_of(
    policy: Policy, recording: Recording, pairs: dict[str, Pairs], times: tuple[int, ...]
) -> Quality:
    """Look at the evidence as a whole; ``times`` are the starts of the judged periods."""
    blocking = (*_split(policy, recording), *_unheard(policy, recording, times))
    return Quality(blocking, tuple(_notes(recording, pairs)))


def doubt(policy: Policy, metric: Metric, pairs: Pairs) -> str:
    """Say why a metric's evidence cannot carry a PASS, or nothing."""
    return _missing(policy, pairs) or silence(policy, pairs) or _scarce(policy, metric, pairs)


def _missing(policy: Policy, pairs: Pairs) -> str:
    expected = int(pairs.expected.sum())
    lost = expected - int(pairs.both.sum())
    allowed = policy.missing.share
    if expected < policy.missing.consecutive or lost <= allowed * expected:
        return ""
    share, allowed_words = percentage(lost / expected), percentage(allowed)
    return f"{share} of the pairs of periods are missing, at most {allowed_words} may be"


def silence(policy: Policy, pairs: Pairs) -> str:
    """Say that the candidate has sent nothing lately, while the baseline has, or nothing."""
    there = zip(
        pairs.expected[::-1],
        np.isfinite(pairs.candidate.values)[::-1],
        np.isfinite(pairs.baseline.values)[::-1],
        strict=True,
    )
    gap = 0
    for expected, candidate, baseline in there:
        if expected and candidate:
            break
        gap += bool(expected and baseline)
    if gap < policy.missing.consecutive:
        return ""
    return f"the candidate has sent nothing for {gap} periods, and the baseline has"


def _scarce(policy: Policy, metric: Metric, pairs: Pairs) -> str:
    if not needs_samples(metric):
        return ""
    least = policy.traffic_rule.minimum_samples
    for side, arm in ((pairs.candidate, "candidate"), (pairs.baseline, "baseline")):
        seen = side.samples[pairs.both]
        known = seen[np.isfinite(seen)]
        if len(known) and known.sum() < least:
            return f"the {arm} has {known.sum():,.0f} samples, and {least:,} are asked for"
    return ""


def _split(policy: Policy, recording: Recording) -> list[str]:
    """Compare what the proxy sent with what it was told to."""
    found = []
    tolerance = policy.traffic_rule.split_tolerance.value / 100
    for index, step in enumerate(recording.steps):
        share, meant = counted_share(recording, index), meant_share(step)
        if share is None or meant is None:
            continue
        if abs(share - meant) > tolerance or share < meant / 3:
            found.append(
                f"the proxy sent the candidate {number(100 * share)} % of both arms' requests, "
                f"and {number(100 * meant)} % were meant"
            )
    return found


def _unheard(policy: Policy, recording: Recording, times: tuple[int, ...]) -> list[str]:
    """Name the candidate's instances that customers may have met and nobody has seen.

    One that sends anything is seen: what it does not send of one metric may not have happened.
    What the proxy counts comes from the proxy, and says nothing about who sends.
    """
    proxys = {metric.name for metric in policy.metrics if metric.counter is not None}
    found = reported_periods(one for one in recording.series if one.metric not in proxys)
    sent: dict[str, set[int]] = {name: set() for name in recording.candidate.instances}
    sent |= {name: times for (arm, name), times in found.items() if arm is Arm.CANDIDATE}
    anybody = set().union(*sent.values())
    known = [time for time in times if time in anybody]  # else the whole arm is silent
    if len(known) < policy.missing.consecutive:
        return []
    return [
        f"{instance} of the candidate has sent nothing in {lost} of {len(known)} periods"
        for instance, seen in sorted(sent.items())
        if (lost := sum(time not in seen for time in known)) > policy.missing.share * len(known)
        or not seen.intersection(known[-policy.missing.consecutive :])
    ]


def _notes(recording: Recording, pairs: dict[str, Pairs]) -> list[str]:
    notes = []
    fewest = [min(p.candidate.instances, p.baseline.instances) for p in pairs.values()]
    if fewest and max(fewest) < 2:
        notes.append(
            "one instance per arm: a difference between the two hosts cannot be told from one "
            "between the releases"
        )
    unknown = [name for name in pairs if name not in recording.calibration]
    if unknown and len(unknown) == len(pairs):
        notes.append(
            "uncalibrated: the noise of this environment is assumed, not measured; "
            "canary rehearse measures it"
        )
    elif unknown:
        notes.append(f"uncalibrated: the noise of {', '.join(unknown)} is assumed, not measured")
    return notes
