"""The harm that a run would have found, for the end of a command's output."""

from __future__ import annotations

from canary.model import Judgement
from canary.offline.plan import achieved
from canary.policy import Policy


def detectable_harm(policy: Policy, judgement: Judgement) -> str:
    """Return the smallest harm that the run would have found, by metric; empty if none is known."""
    return "\n".join(f"  {sentence}" for sentence in achieved(policy, judgement))
