"""A verdict for readers without statistics: what happened, how sure it is, and what to do."""

from __future__ import annotations

from canary.formatting import duration, listed, percent
from canary.model import Finding, Judgement, Recording, Verdict
from canary.policy import Policy
from canary.report.curves import span
from canary.report.policy_view import title
from canary.report.wording import urgency

MOST = 3
"""Metrics that are named."""


def in_short(
    policy: Policy, recording: Recording, judgement: Judgement | None
) -> tuple[tuple[str, str], ...]:
    """Return what happened, how sure that is, and what to do; nothing without a judgement."""
    if judgement is None:
        return ()
    return (
        ("What happened", f"{_served(recording, judgement)} {_happened(judgement)}"),
        ("How sure is it?", _sure(policy, judgement)),
        ("What to do", _next(recording, judgement)),
    )


def _served(recording: Recording, judgement: Judgement) -> str:
    candidate, baseline = recording.candidate.name, recording.baseline.name
    length = duration(judgement.at - span(recording, (judgement,))[0])
    most = max((step.candidate for step in recording.steps), default=0.0)
    share = f" with up to {percent(most)} of the traffic" if most > 0 else ""
    return f"{candidate} ran beside {baseline} for {length}{share}."


def _happened(judgement: Judgement) -> str:
    if judgement.verdict is Verdict.FAIL:
        names = _names(judgement, Verdict.FAIL)
        return f"It did worse than the policy allows: {names}."
    if judgement.verdict is Verdict.PASS:
        return "Nothing that the policy asks for got worse than it allows."
    names = _names(judgement, Verdict.INCONCLUSIVE)
    about = f" about {names}" if names else ""
    return f"Neither harm nor its absence could be shown{about}."


def _names(judgement: Judgement, verdict: Verdict) -> str:
    """Return the metrics that decide the verdict, those that matter most first."""

    def counts(one: Finding) -> bool:
        return one.verdict is verdict and not one.muted

    found = [title(one.metric) for one in sorted(judgement.findings, key=urgency) if counts(one)]
    more = [f"{len(found) - MOST} more"] if len(found) > MOST else []
    return listed([*found[:MOST], *more]) if found else ""


def _sure(policy: Policy, judgement: Judgement) -> str:
    if policy.judge == "kayenta":
        return "Nobody knows: Kayenta's rules promise no rate of wrong verdicts."
    if judgement.verdict is Verdict.FAIL:
        return (
            "Very. Of 100 releases that are as good as the one before, this policy fails at most "
            f"{_of_hundred(policy.alpha)}."
        )
    if judgement.verdict is Verdict.PASS:
        return (
            "Sure of what the margins say, and of no more: a release exactly as bad as a margin "
            f"passes in at most {_of_hundred(policy.beta)} of 100 canaries, a worse one less "
            "often. Smaller harm may be there."
        )
    return (
        "Not at all. This is neither good news nor bad news, and no weak PASS: there is too "
        "little evidence."
    )


def _of_hundred(share: float) -> str:
    return f"{100 * share:.2g}"


def _next(recording: Recording, judgement: Judgement) -> str:
    candidate, baseline = recording.candidate.name, recording.baseline.name
    if judgement.verdict is Verdict.FAIL:
        return (
            f"Do not release {candidate}; users stay on {baseline}. Begin with the metric above, "
            "and where a host is named, with that host: is it bad on another host too? Mend it, "
            "and run the canary again."
        )
    if judgement.verdict is Verdict.PASS:
        return f"{candidate} may serve everybody. Keep {baseline} ready until it has."
    advice = judgement.advice.rstrip(".")
    first = f"{advice}. " if advice else "Run the canary again, for longer or with more traffic. "
    return f"{first}Until it is decided, users stay on {baseline}."
