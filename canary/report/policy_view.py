"""The report's view of a policy: metrics, periods that are not judged, the policy as text."""

from __future__ import annotations

from typing import Any

import yaml

from canary.formatting import without_password
from canary.model import Recording
from canary.policy import Metric, Policy


def metric(policy: Policy, name: str) -> Metric | None:
    """Return the policy's metric of a finding; a finding of an absolute limit has none."""
    return next((entry for entry in policy.metrics if entry.name == name), None)


def unused(
    policy: Policy, recording: Recording, name: str, end: int
) -> tuple[tuple[int, int, str], ...]:
    """Return the parts of the canary that are not judged for a metric, each with its reason."""
    if not recording.steps:
        return ()
    start = recording.steps[0].start
    stretches = [(start, start + policy.warmup, "warm-up: not judged")] * bool(policy.warmup)
    entry = metric(policy, name)
    if entry is not None and entry.needs_equal_footing:
        ends = [step.start for step in recording.steps[1:]] + [end]
        stretches += [
            (max(step.start, start + policy.warmup), until, "unequal load: not judged")
            for step, until in zip(recording.steps, ends, strict=True)
            if not step.equal_footing and until > start + policy.warmup
        ]
    return tuple(stretches)


def unit(policy: Policy, name: str) -> str:
    """Return the unit of a metric, empty if the policy names none."""
    entry = metric(policy, name)
    return (entry.unit or "") if entry is not None else ""


def title(name: str) -> str:
    """Return a metric's name for a heading."""
    return name.replace("_", " ")


def as_values(policy: Policy) -> dict[str, Any]:
    """Return the policy as plain values, without unset keys."""
    values: dict[str, Any] = _without_passwords(policy.model_dump(mode="json", exclude_none=True))
    return values


def _without_passwords(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_passwords(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_passwords(item) for item in value]
    return without_password(value) if isinstance(value, str) else value


def as_text(policy: Policy) -> str:
    """Return the policy as YAML, with all defaults."""
    text: str = yaml.safe_dump(as_values(policy), sort_keys=False, allow_unicode=True, width=88)
    return text
