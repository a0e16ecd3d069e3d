"""Decisions by people: approvals, and holds of undecided or failed canaries.

An approval is an object in the bucket, so it can be given from any machine and is recorded. During
the wait the lease is renewed, the proxy is watched, and the time is limited.
"""

from __future__ import annotations

from dataclasses import replace

from canary.errors import CanaryError, Interruption, StateError
from canary.formatting import duration
from canary.model import Verdict
from canary.rollout.context import Context
from canary.rollout.mark import Stage
from canary.rollout.outcome import Ending
from canary.rollout.watch import Watch

PROMOTE = "promote"


def approval_key(canary: str, gate: str) -> str:
    """Return the key of the approval of ``gate``."""
    return f"canaries/{canary}/approved-{gate}"


def waiting_key(canary: str, gate: str) -> str:
    """Return the key that exists while a canary waits at ``gate``."""
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
    while not _approved(context, PROMOTE):
        ending = _wait_a_period(context, watch, _deadline(context, Stage.GATE))
        if ending is not None:
            return ending
    return None


def hold(context: Context, watch: Watch, ending: Ending) -> Ending:
    """Hold an undecided or failed canary until a person decides, if that was requested."""
    request, where = context.request, f"--env {context.request.environment}"
    if ending.undecided and request.on_inconclusive == "hold":
        question = f"undecided: canary promote {where}, or canary rollback {where}"
        if not context.said(question):
            context.say("hold", question)
        decided = _decision(context, watch, ending)
        # A person's rollback does not mean "could not run": the verdict stays.
        verdict = decided.verdict or Verdict.INCONCLUSIVE
        return decided if decided.replaced else replace(decided, verdict=verdict)
    if ending.judged and request.on_fail == "freeze":
        return _freeze(context, watch, ending, where)
    return ending


def _freeze(context: Context, watch: Watch, ending: Ending, where: str) -> Ending:
    """Keep the weight of a failed candidate for a while. The verdict is final."""
    question = (
        f"FAIL: {ending.reason}. The weight stays for {duration(context.request.hold)}, then the "
        f"traffic goes back. To return it now: canary rollback {where}. To release the candidate "
        f"all the same: canary promote {where}"
    )
    asked = context.said(question)
    if not asked:
        context.say("hold", question)
    try:
        if not asked:
            _announce(context, question)
        decided = _decision(context, watch, ending)
    except (CanaryError, Interruption, KeyboardInterrupt) as error:
        context.warn(f"The weight is held no longer: {str(error) or 'Ctrl-C'}")
        return ending
    if decided.replaced:
        return decided
    context.say("decided", decided.reason)
    return replace(ending, settled=decided.settled)


def _announce(context: Context, question: str) -> None:
    """Send the question to the people who receive the verdicts."""
    request = context.request
    message = {"canary": request.name, "verdict": "FAIL", "reason": question}
    try:
        context.ports.state.announce(f"Canary waits for you on {request.environment}", message)
    except StateError as error:
        context.warn(f"Nobody was told that the weight is held: {error}")


def _deadline(context: Context, stage: Stage, ending: Ending | None = None) -> float:
    """Return when to stop waiting for a person; a later controller keeps the same time."""
    if context.mark.stage is not stage:
        context.reach(stage, until=context.now() + context.request.hold, ending=ending)
    return context.mark.until


def _decision(context: Context, watch: Watch, ending: Ending) -> Ending:
    """Wait until a person, the proxy or the time limit ends the hold."""
    patience = _deadline(context, Stage.HOLD, ending)
    while True:
        if (decided := _wait_a_period(context, watch, patience)) is not None:
            return decided


def _wait_a_period(context: Context, watch: Watch, patience: float) -> Ending | None:
    if context.now() >= patience:
        limit = f"{context.request.hold:.0f} s"
        return Ending(Verdict.INCONCLUSIVE, f"No decision within {limit}")
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
    if not context.said(question):
        context.ports.state.store(waiting_key(context.request.name, gate), b"", {})
        context.say("approval", question)
    return False
