"""Decisions by people: approvals, and the hold of an undecided canary.

An approval is an object in the bucket, so it can be given from any machine and is recorded. During
the wait the lease is renewed, the proxy is watched, and the time is limited.
"""

from __future__ import annotations

from dataclasses import replace

from canary.model import Verdict
from canary.rollout.context import Context
from canary.rollout.outcome import Ending
from canary.rollout.watch import Watch

PROMOTE = "promote"


def approval_key(canary: str, gate: str) -> str:
    """Return the key of the approval of ``gate``."""
    return f"canaries/{canary}/approved-{gate}"


def waiting_key(canary: str, gate: str) -> str:
    """Return the key that says that a canary waits at ``gate``."""
    return f"canaries/{canary}/waiting-{gate}"


def step_gate(step: int) -> str:
    """Return the name of the gate before a step; names count from 1."""
    return f"step-{step + 1}"


def open_for(context: Context, step: int) -> bool:
    """Return whether the weight may be raised to ``step``."""
    if context.request.approve != "steps":
        return True
    return _approved(context, step_gate(step))


def wait_for_promotion(context: Context, watch: Watch) -> Ending | None:
    """Wait for the approval that the environment requires; None: continue."""
    if context.request.approve == "none":
        return None
    patience = context.now() + context.request.hold
    while not _approved(context, PROMOTE):
        ending = _wait_a_period(context, watch, patience)
        if ending is not None:
            return ending
    return None


def hold(context: Context, watch: Watch, ending: Ending) -> Ending:
    """Hold an undecided canary until a person promotes it or rolls it back."""
    if not ending.undecided or context.request.on_inconclusive != "hold":
        return ending
    where = f"--env {context.request.environment}"
    context.say("hold", f"undecided: canary promote {where}, or canary rollback {where}")
    patience = context.now() + context.request.hold
    while True:
        decided = _wait_a_period(context, watch, patience)
        if decided is not None and decided.replaced:
            return decided
        if decided is not None:
            # A rollback by a person is no failure to run: the verdict stays.
            return replace(decided, verdict=decided.verdict or Verdict.INCONCLUSIVE)


def _wait_a_period(context: Context, watch: Watch, patience: float) -> Ending | None:
    if context.now() >= patience:
        hours = f"{context.request.hold:.0f} s"
        return Ending(Verdict.INCONCLUSIVE, f"No decision within {hours}")
    context.sleep_until(context.now() + context.timing.period)
    return watch.look()


def _approved(context: Context, gate: str) -> bool:
    if context.ports.state.find(approval_key(context.request.name, gate)) is not None:
        context.say("approved", f"{gate} was approved")
        return True
    question = (
        f"{gate} waits for approval: canary approve --env {context.request.environment} "
        f"{context.request.name} {gate}"
    )
    if all(event.sentence != question for event in context.events):
        context.ports.state.store(waiting_key(context.request.name, gate), b"", {})
        context.say("approval", question)
    return False
