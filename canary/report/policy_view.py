"""What the report takes from a policy: how a metric is drawn, and the policy itself."""

from __future__ import annotations

from typing import Any

import yaml

from canary.model import Recording
from canary.policy import Metric, Policy


def metric(policy: Policy, name: str) -> Metric | None:
    """The policy's entry for a metric; findings beyond the policy (the split, an SLO) have none."""
    return next((entry for entry in policy.metrics if entry.name == name), None)


def unused(
    policy: Policy, recording: Recording, name: str, end: int
) -> tuple[tuple[int, int, str], ...]:
    """Stretches of the canary that do not count for a metric, each with its reason."""
    if not recording.steps:
        return ()
    start = recording.steps[0].start
    stretches = [(start, start + policy.warmup, "warm-up: does not count")] * bool(policy.warmup)
    entry = metric(policy, name)
    if entry is not None and entry.needs_equal_footing:
        ends = [step.start for step in recording.steps[1:]] + [end]
        stretches += [
            (max(step.start, start + policy.warmup), until, "unequal load: does not count")
            for step, until in zip(recording.steps, ends, strict=True)
            if not step.equal_footing and until > start + policy.warmup
        ]
    return tuple(stretches)


def unit(policy: Policy, name: str) -> str:
    """Return the unit of a metric, empty if the policy names none."""
    return str(getattr(metric(policy, name), "unit", ""))


def title(name: str) -> str:
    """Return a metric's name for a heading."""
    return name.replace("_", " ")


def as_values(policy: Policy) -> dict[str, Any]:
    """The policy as plain values, without what nobody set."""
    values: dict[str, Any] = policy.model_dump(mode="json", exclude_none=True)
    return values


def as_text(policy: Policy) -> str:
    """The policy as YAML, every value in force written out."""
    text: str = yaml.safe_dump(as_values(policy), sort_keys=False, allow_unicode=True, width=88)
    return text
