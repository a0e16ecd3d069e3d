"""How sure a verdict is, for people who know no statistics."""

from __future__ import annotations

from canary.formatting import duration, percent, plural
from canary.model import Judgement, Recording, Verdict
from canary.policy import Policy

CHANCE = "one time in {:.0f}"


def paragraphs(
    policy: Policy, recording: Recording, judgement: Judgement | None, looks: int
) -> tuple[str, ...]:
    """What the verdict promises, what it does not, and what the interval in each plot means."""
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
    "Each metric is compared in steps of {period} between two releases that served users at the "
    "same time, so a busy hour or a slow database that hits both cancels out. The coloured band "
    "around the difference is the range in which the true difference lies, as far as the data can "
    "tell; it narrows as evidence comes in. FAIL needs the band to leave zero on the bad side; "
    "PASS needs it to stay below the margin, the harm the policy is willing to accept."
)


def _promise(policy: Policy, judgement: Judgement | None, looks: int) -> str:
    verdict = judgement.verdict if judgement else Verdict.INCONCLUSIVE
    if judgement is None or verdict is Verdict.INCONCLUSIVE:
        return (
            "INCONCLUSIVE means: harm was not shown, but harm beyond the margin was not ruled out "
            "either. It is not a weak PASS. The old release stays until more is known."
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
        f"were equally good, this policy would say FAIL {often}, and that already allows "
        f"for watching {metrics} and for looking {plural(looks, 'time')}."
    )


def _pass(policy: Policy) -> str:
    beta = policy.beta
    often = f"in at most {percent(beta)} of canaries"
    return (
        f"PASS means: for every metric that matters, harm larger than its margin was ruled out. A "
        f"release that is exactly as bad as a margin would be passed {often}; one that is worse, "
        f"less often still. Harm smaller than the margin may exist: the margin says how much is "
        f"accepted."
    )


def _instances(recording: Recording) -> str:
    fewest = min(len(recording.baseline.instances), len(recording.candidate.instances))
    if fewest != 1:
        return ""
    return (
        "One of the releases ran on a single instance. A host that is slow by itself and a release "
        "that is slow look the same then; only more instances can tell them apart."
    )


def _calibration(recording: Recording) -> str:
    if recording.calibration:
        return "The noise of this environment was learned from earlier runs before this one."
    return (
        "This environment's own noise had not been learned before this run, so cautious defaults "
        "were used; “canary rehearse” learns it."
    )
