"""From findings to one verdict: FAIL at once, PASS only when everything that matters is shown."""

from __future__ import annotations

import math

from canary.errors import PolicyError
from canary.judge.findings import finding_of
from canary.judge.pairs import judged_times, pairs_of
from canary.judge.quality import Quality, quality_of
from canary.judge.words import duration
from canary.model import Finding, Judgement, Recording, Verdict
from canary.policy import Policy

UNPROVEN = 0.2
"""Weight of metrics that are not critical, as a share of theirs, that PASS may leave open."""


def judge(policy: Policy, recording: Recording, until: int | None = None) -> Judgement:
    """Judge what had been seen by ``until`` (seconds since the epoch; default: everything).

    The same policy, recording and ``until`` give the same judgement, bit for bit.

    Raises:
        PolicyError: the recording's period is not the policy's.
    """
    if policy.period != recording.period:
        raise PolicyError(
            f"The policy's period is {policy.period}s and the recording's is {recording.period}s; "
            f"set period: {recording.period}s."
        )
    at = last_time(recording) if until is None else until
    times = judged_times(policy, recording, at)
    pairs = {metric.name: pairs_of(metric, recording, times) for metric in policy.metrics}
    findings = tuple(
        finding_of(policy, metric, recording, pairs[metric.name]) for metric in policy.metrics
    )
    quality = quality_of(policy, recording, pairs)
    elapsed = at - recording.steps[0].start if recording.steps else 0
    return _judgement(policy, findings, quality, at, elapsed)


def last_time(recording: Recording) -> int:
    """Return the end of the data."""
    ends = [series.times[-1] + recording.period for series in recording.series if series.times]
    return max([*ends, *recording.looks], default=0)


def _judgement(
    policy: Policy, findings: tuple[Finding, ...], quality: Quality, at: int, elapsed: int
) -> Judgement:
    counted = [finding for finding in findings if not finding.muted]
    failed = [finding for finding in counted if finding.verdict is Verdict.FAIL]
    open_ones = [finding for finding in counted if finding.verdict is Verdict.INCONCLUSIVE]
    early = elapsed < policy.minimum
    if failed:
        verdict, reason = Verdict.FAIL, _worst(failed).sentence
    elif _all_shown(counted) and not quality.blocking and not early:
        verdict, reason = Verdict.PASS, f"No harm beyond the margins after {duration(elapsed)}"
    else:
        verdict, reason = Verdict.INCONCLUSIVE, _undecided(open_ones, quality, early, policy)
    return Judgement(
        at=at,
        verdict=verdict,
        reason=reason,
        findings=findings,
        quality=quality.sentences,
        advice="",
        score=total_score(verdict, counted),
    )


def _worst(failed: list[Finding]) -> Finding:
    return max(failed, key=lambda finding: (finding.critical, finding.effect or 0.0))


def _all_shown(counted: list[Finding]) -> bool:
    if any(finding.critical and finding.verdict is not Verdict.PASS for finding in counted):
        return False
    others = [finding for finding in counted if not finding.critical]
    total = math.fsum(finding.weight for finding in others)
    shown = math.fsum(finding.weight for finding in others if finding.verdict is Verdict.PASS)
    proven = any(finding.verdict is Verdict.PASS for finding in counted)
    return proven and shown >= (1 - UNPROVEN) * total


def _undecided(open_ones: list[Finding], quality: Quality, early: bool, policy: Policy) -> str:  # noqa: FBT001
    if quality.blocking:
        return quality.blocking[0]
    if open_ones:
        names = ", ".join(finding.metric for finding in open_ones)
        return f"Neither harm nor its absence is shown yet for {names}"
    if early:
        return f"No harm is seen, but {duration(policy.minimum)} have not passed yet"
    return "Too little is known"


def total_score(verdict: Verdict, counted: list[Finding]) -> float | None:
    """Return the weighted mean of the scores, kept inside the range of its verdict."""
    scored = [(finding.score, finding.weight) for finding in counted if finding.score is not None]
    if not scored:
        return None
    total = math.fsum(weight for _, weight in scored)
    mean = math.fsum(score * weight for score, weight in scored) / total
    low, high = {
        Verdict.FAIL: (0.0, 49.0),
        Verdict.INCONCLUSIVE: (50.0, 89.0),
        Verdict.PASS: (90.0, 100.0),
    }[verdict]
    return round(min(max(mean, low), high), 2)
