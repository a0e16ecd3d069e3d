"""How certain a verdict is, for readers without statistics."""

from __future__ import annotations

from canary.formatting import duration, percent, plural
from canary.model import Judgement, Recording, Verdict
from canary.policy import Policy

CHANCE = "one time in {:.0f}"


def paragraphs(
    policy: Policy, recording: Recording, judgement: Judgement | None, looks: int
) -> tuple[str, ...]:
    """Return what the verdict means, what it does not, and how to read the intervals."""
    return tuple(
        sentence
        for sentence in (
            _promise(policy, judgement, looks),
            INTERVAL.format(period=duration(recording.period)),
            _instances(recording),
            _calibration(recording),
        )
        if sentence
    )


INTERVAL = (
    "Each metric is compared every {period} between two releases that served users at the same "
    "time, so a busy hour or a slow database that affects both cancels out. The coloured band is "
    "the interval of the true difference. It narrows as data comes in. FAIL needs the whole band "
    "on the harmful side of zero. PASS needs the whole band below the margin, which is the harm "
    "that the policy accepts."
)


def _promise(policy: Policy, judgement: Judgement | None, looks: int) -> str:
    verdict = judgement.verdict if judgement else Verdict.INCONCLUSIVE
    if judgement is None or verdict is Verdict.INCONCLUSIVE:
        return (
            "INCONCLUSIVE means: harm was not shown, and harm beyond the margin was not ruled out. "
            "It is not a weak PASS. The old release stays live."
        )
    if verdict is Verdict.FAIL:
        return _fail(policy, judgement, looks)
    return _pass(policy)


def _fail(policy: Policy, judgement: Judgement, looks: int) -> str:
    alpha = policy.alpha
    metrics = plural(sum(not finding.muted for finding in judgement.findings), "metric")
    often = f"in at most {percent(alpha)} of canaries (about {CHANCE.format(1 / alpha)})"
    return (
        f"FAIL means: the difference is too large and too steady to be chance. If both releases "
        f"were equally good, this policy would return FAIL {often}. That includes the error of "
        f"watching {metrics} at {plural(looks, 'look')}."
    )


def _pass(policy: Policy) -> str:
    beta = policy.beta
    often = f"in at most {percent(beta)} of canaries"
    return (
        "PASS means: for every critical metric, harm larger than its margin was ruled out. A "
        f"release exactly as bad as a margin would pass {often}, a worse one less often. Harm "
        "smaller than the margin is possible: the policy accepts it."
    )


def _instances(recording: Recording) -> str:
    fewest = min(len(recording.baseline.instances), len(recording.candidate.instances))
    if fewest != 1:
        return ""
    return (
        "One of the releases ran on a single instance, so a slow host cannot be distinguished from "
        "a slow release. Use more instances to tell them apart."
    )


def _calibration(recording: Recording) -> str:
    if recording.calibration.metrics:
        return "The noise of this environment was learned from earlier data."
    return (
        "The noise of this environment was not measured, so cautious defaults were used. To "
        "measure it: canary rehearse."
    )
