"""The judge turns a policy and a recording into one judgement."""

from __future__ import annotations

import math
from dataclasses import replace

from canary.errors import PolicyError
from canary.evidence.late import known_at
from canary.evidence.lead_in import lead_pairs
from canary.evidence.outages import outage
from canary.evidence.pairs import Pairs, pairs_by_name
from canary.evidence.periods import judged_times, last_time
from canary.evidence.quality import quality_of
from canary.evidence.suspicion import suspected
from canary.evidence.table import Table, table_of
from canary.judge.advice import advice_of
from canary.judge.bad_host import with_hosts
from canary.judge.findings import finding_of
from canary.judge.limits import limit_findings
from canary.judge.notices import lead_words
from canary.judge.reasons import Case, reason_of, verdict_of
from canary.judge.sick_host import Baseline, baseline_of
from canary.judge.typical import with_typical_latency
from canary.kayenta import kayenta_judgement
from canary.model import Arm, Finding, Judgement, Recording, Verdict
from canary.policy import Policy


def judge(policy: Policy, recording: Recording, until: int | None = None) -> Judgement:
    """Judge the data up to ``until`` (seconds since the epoch; default: everything).

    The same policy, recording and ``until`` give the same judgement, bit for bit.

    Raises:
        PolicyError: the recording's period is not the policy's.
    """
    at = last_time(recording) if until is None else until
    return judge_table(policy, table_of(policy, known_at(recording, at), at), at)


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
    pairs = _pairs(policy, table, at)
    baseline = baseline_of(policy, recording, pairs)
    if baseline.sick:
        table = table.without(Arm.BASELINE, [one.host for one in baseline.sick])
        pairs = _pairs(policy, table, at)
    found = _judged(policy, table, at, pairs, baseline.notes)
    return _against_each(policy, table, at, baseline, found) if baseline.rivals else found


def _pairs(policy: Policy, table: Table, at: int) -> dict[str, Pairs]:
    times = judged_times(policy, table.recording, at)
    pairs = pairs_by_name(policy.metrics, table, times)
    return with_typical_latency(suspected(policy, table, pairs, (times, at)), policy)


def _against_each(
    policy: Policy, table: Table, at: int, baseline: Baseline, found: Judgement
) -> Judgement:
    """Judge against each of the hosts that disagree, and decide only if the verdicts agree."""
    names = [one.host for one in baseline.rivals]
    alone = [
        table.without(Arm.BASELINE, [other for other in names if other != host]) for host in names
    ]
    notes = (*baseline.notes, baseline.dispute)
    verdicts = [_judged(policy, one, at, _pairs(policy, one, at), notes).verdict for one in alone]
    told = replace(found, quality=(baseline.dispute, *found.quality))
    if set(verdicts) == {found.verdict}:
        return told
    words = " and ".join(
        f"{verdict} against {host}" for host, verdict in zip(names, verdicts, strict=True)
    )
    return replace(
        told,
        verdict=Verdict.INCONCLUSIVE,
        reason=f"The baseline cannot be trusted: {baseline.dispute}. Candidate: {words}",
        advice="Find out which host of the baseline is sick, replace it, and run the canary again",
        score=None if found.score is None else min(max(found.score, 50.0), 89.0),
    )


def _judged(
    policy: Policy, table: Table, at: int, pairs: dict[str, Pairs], notes: tuple[str, ...]
) -> Judgement:
    recording = table.recording
    times = judged_times(policy, recording, at)
    lead = lead_pairs(policy, table)
    compared = tuple(
        with_hosts(policy, metric, recording, one, finding_of(policy, metric, recording, one, own))
        for metric in policy.metrics
        for one, own in ((pairs[metric.name], lead.get(metric.name)),)
    )
    findings = compared + limit_findings(policy, table, pairs, times)
    elapsed = at - recording.steps[0].start if recording.steps else 0
    quality = quality_of(policy, table, pairs, (times, at))
    said = (*_outages(policy, table, at, compared), *lead_words(recording, compared))
    quality = replace(quality, notes=(*notes, *quality.notes, *said))
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


def _outages(
    policy: Policy, table: Table, at: int, compared: tuple[Finding, ...]
) -> tuple[str, ...]:
    """Return notes on outages that are over, of metrics that do not fail by them."""
    times = judged_times(policy, table.recording, at)
    pairs = zip(policy.metrics, compared, strict=True)
    calm = (metric for metric, one in pairs if one.verdict is not Verdict.FAIL)
    return tuple(filter(None, (outage(metric, table, at, times) for metric in calm)))


def total_score(verdict: Verdict, counted: list[Finding]) -> float | None:
    """Return the weighted mean of the scores, limited to the range of the verdict.

    A FAIL has the score of its worst metric: good metrics do not raise it.
    """
    failed = [one.score for one in counted if one.verdict is Verdict.FAIL and one.score is not None]
    if verdict is Verdict.FAIL and failed:
        return min(failed)
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
