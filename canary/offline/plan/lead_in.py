"""The benefit of a lead-in: the periods that it saves, and the harm that it makes visible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from canary.formatting import duration, percent
from canary.learned import Learned
from canary.offline.plan.outlook import MetricOutlook, Outlook, plan
from canary.offline.plan.workload import Workload
from canary.policy import Policy

USUAL = 120
"""Periods of the lead-in that a plan proposes."""
WORTHWHILE = 0.9
"""The gain is mentioned if the visible harm falls below this share of that without a lead-in."""


@dataclass(frozen=True, slots=True)
class LeadInWorth:
    """The results of a canary with a lead-in of ``seconds``, and without one."""

    seconds: int
    with_it: Outlook
    without: Outlook

    @property
    def sentence(self) -> str:
        """The benefit of the lead-in, as a sentence."""
        pairs = list(zip(self.with_it.metrics, self.without.metrics, strict=True))
        better = [(one, other) for one, other in pairs if _better(one, other)]
        length = duration(self.seconds)
        if not better:
            return f"A lead-in of {length} would show no smaller harm"
        harm = ", ".join(
            f"{one.metric} {percent(one.visible)} instead of {percent(other.visible)}"
            for one, other in better
        )
        return (
            f"With a lead-in of {length}, in which both colours run the live release, smaller harm "
            f"is found: {harm}. {self._time}"
        )

    @property
    def _time(self) -> str:
        before, after = self.without.passes, self.with_it.passes
        if after is None:
            return "Some margins can never be ruled out, with or without it"
        if before is None:
            return f"A release without harm passes after about {duration(after)} instead of never"
        if after >= before:
            return "A release without harm passes no sooner"
        return (
            f"A release without harm passes after about {duration(after)} instead of "
            f"{duration(before)}"
        )


def lead_in_worth(
    policy: Policy,
    workload: Workload,
    calibration: Mapping[str, Learned],
    outlook: Outlook,
    tell: Callable[[], object] = lambda: None,
) -> LeadInWorth:
    """Compare the policy's lead-in, or a usual one, with none; ``outlook`` is for the policy."""
    seconds = policy.lead_in or policy.warmup + USUAL * policy.period
    other = policy.model_copy(update={"lead_in": 0 if policy.lead_in else seconds})
    found = plan(other, workload, calibration, tell)
    return LeadInWorth(seconds, *((outlook, found) if policy.lead_in else (found, outlook)))


def _better(one: MetricOutlook, other: MetricOutlook) -> bool:
    return one.visible < WORTHWHILE * other.visible and one.visible < 1
