"""The report as JSON. Its schema is schema.json beside this module."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from canary.model import Judgement, Recording, Verdict
from canary.policy import Policy
from canary.report import policy_view

VERSION = 1
SCHEMA = Path(__file__).with_name("schema.json")


def render_json(policy: Policy, recording: Recording, judgements: Sequence[Judgement]) -> str:
    """Return the verdict, and every look with its findings."""
    last = judgements[-1] if judgements else None
    report = {
        "version": VERSION,
        "environment": recording.environment,
        "period": recording.period,
        "baseline": recording.baseline,
        "candidate": recording.candidate,
        "verdict": last.verdict if last else Verdict.INCONCLUSIVE,
        "reason": last.reason if last else "No judgement was made.",
        "score": last.score if last else None,
        "steps": recording.steps,
        "events": recording.events,
        "judgements": list(judgements),
        "policy": policy_view.as_values(policy),
    }
    return json.dumps(plain(report), indent=1, sort_keys=True, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """Return dataclasses, enumerations and tuples as JSON values; NaN and infinity as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
