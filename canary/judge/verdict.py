"""The judge: from a policy and a recording to one judgement."""

from __future__ import annotations

import math

from canary.errors import PolicyError
from canary.evidence.pairs import pairs_of
from canary.evidence.periods import judged_times, last_time
from canary.evidence.quality import quality_of
from canary.evidence.suspicion import suspected
from canary.evidence.table import Table, table_of
from canary.judge.advice import advice_of
from canary.judge.findings import finding_of
from canary.judge.limits import limit_findings
from canary.judge.reasons import Case, reason_of, verdict_of
from canary.kayenta import kayenta_judgement
from canary.model import Finding, Judgement, Recording, Verdict
from canary.policy import Policy


def judge(policy: Policy, recording: Recording, until: int | None = None) -> Judgement:
    """Judge the data up to ``until`` (seconds since the epoch; default: everything).

    The same policy, recording and ``until`` give the same judgement, bit for bit.

    Raises:
        PolicyError: the recording's period is not the policy's.
    """
    at = last_time(recording) if until is None else until
    return judge_table(policy, table_of(policy, recording, at), at)


def judge_table(policy: Policy, table: Table, at: int) -> Judgement:
    """Judge the table's data up to ``at``. Later data has no effect.

    Raises:
        PolicyError: the recording's period is not the policy's.
    """
    recording = table.recording
    if policy.judge == "kayenta":
        return kayenta_judgement(policy, table, at)
    if policy.period != recording.period:
        raise PolicyError(
            f"The policy's period is {policy.period}s and the recording's is {recording.period}s; "
            f"set period: {recording.period}s."
        )
    times = judged_times(policy, recording, at)
    pairs = {metric.name: pairs_of(metric, table, times) for metric in policy.metrics}
    pairs = suspected(policy, table, pairs, (times, at))
    compared = tuple(
        finding_of(policy, metric, recording, pairs[metric.name]) for metric in policy.metrics
    )
    findings = compared + limit_findings(policy, table, pairs, times)
    elapsed = at - recording.steps[0].start if recording.steps else 0
    quality = quality_of(policy, table, pairs, (times, at))
    case = Case(policy, recording, findings, quality, elapsed)
    verdict = verdict_of(case)
    counted = [finding for finding in findings if not finding.muted]
    return Judgement(
        at=at,
        verdict=verdict,
        reason=reason_of(case, verdict),
        findings=findings,
        quality=quality.sentences,
        advice=advice_of(case) if verdict is Verdict.INCONCLUSIVE else "",
        score=total_score(verdict, counted),
    )


def total_score(verdict: Verdict, counted: list[Finding]) -> float | None:
    """Return the weighted mean of the scores, limited to the range of the verdict."""
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
