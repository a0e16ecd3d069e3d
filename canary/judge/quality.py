"""Whether the evidence can be trusted: gaps, too little traffic, a split other than intended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from canary.judge.pairs import Pairs, counted_share, meant_share
from canary.judge.words import number, subject
from canary.model import Recording
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


def quality_of(policy: Policy, recording: Recording, pairs: dict[str, Pairs]) -> Quality:
    """Look at the evidence itself."""
    blocking: list[str] = []
    for metric in policy.metrics:
        if not metric.muted:
            blocking += _gaps(policy, metric, pairs[metric.name])
            blocking += _traffic(policy, metric, pairs[metric.name])
    blocking += _split(policy, recording)
    return Quality(tuple(blocking), tuple(_notes(recording, pairs)))


def _gaps(policy: Policy, metric: Metric, pairs: Pairs) -> list[str]:
    expected = int(pairs.expected.sum())
    if expected == 0:
        return []
    lost = expected - int((pairs.both & pairs.expected).sum())
    rule = policy.missing
    if lost > rule.share * expected and expected >= rule.consecutive:
        share = f"{100 * lost / expected:.0f} %"
        return [
            f"{subject(metric)}: {share} of the pairs of periods are missing "
            f"(allowed: {100 * rule.share:.0f} %)"
        ]
    gap = _latest_gap(pairs)
    if gap >= rule.consecutive:
        return [
            f"{subject(metric)}: the candidate has sent nothing for {gap} periods "
            "while the baseline has"
        ]
    return []


def _latest_gap(pairs: Pairs) -> int:
    """Return how many of the latest periods hold the baseline alone."""
    gap = 0
    for expected, g, b in zip(
        pairs.expected[::-1],
        np.isfinite(pairs.candidate.values)[::-1],
        np.isfinite(pairs.baseline.values)[::-1],
        strict=True,
    ):
        if expected and b and not g:
            gap += 1
        elif expected and g:
            break
    return gap


def _traffic(policy: Policy, metric: Metric, pairs: Pairs) -> list[str]:
    if metric.kind in ("gauge", "level") or metric.per == "time":
        return []
    least = policy.traffic_rule.minimum_samples
    for side, arm in ((pairs.candidate, "candidate"), (pairs.baseline, "baseline")):
        seen = float(np.nansum(np.where(pairs.both, side.samples, 0.0)))
        if seen < least:
            return [
                f"{subject(metric)}: the {arm} has {seen:.0f} samples, "
                f"fewer than the {least} that the policy asks for"
            ]
    return []


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
                f"meant were {number(100 * meant)} %"
            )
    return found


def _notes(recording: Recording, pairs: dict[str, Pairs]) -> list[str]:
    notes = []
    if pairs and max(min(p.candidate.instances, p.baseline.instances) for p in pairs.values()) < 2:
        notes.append(
            "one instance per arm: a difference between the two hosts cannot be told from one "
            "between the releases"
        )
    if not recording.calibration:
        notes.append(
            "uncalibrated: the noise of this environment is assumed, not measured; "
            "canary rehearse measures it"
        )
    return notes
