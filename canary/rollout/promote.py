"""After PASS: the candidate carries all traffic under the lease and alarms, then becomes live.

During the bake the old colour is still live: if this process fails, the lease returns traffic to
it. Only a bake without an alarm makes the candidate live.
"""

from __future__ import annotations

from canary.errors import StateError, TrafficError
from canary.model import Verdict
from canary.rollout import gates
from canary.rollout.context import Context
from canary.rollout.outcome import Ending
from canary.rollout.progress import Progress
from canary.rollout.watch import Watch
from canary.state.base import Live

WATCHED = ("OK", "INSUFFICIENT_DATA")
ATTEMPTS = 3


def promote(context: Context, progress: Progress) -> Ending:
    """Bake the candidate, then make it live."""
    watch = Watch(context, progress)
    ending = gates.wait_for_promotion(context, watch) or _bake(context, progress, watch)
    if ending is not None:
        return ending
    if (ending := watch.identified()) is not None:
        return ending
    reason = progress.judgements[-1].reason
    commit(context, progress.pairing.candidate.colour)
    return Ending(Verdict.PASS, reason, settled=True)


def _bake(context: Context, progress: Progress, watch: Watch) -> Ending | None:
    request, timing = context.request, context.timing
    if request.bake <= 0:
        return None
    colour = progress.pairing.candidate.colour
    context.ports.traffic.set(colour, 1.0, timing.lease)
    context.keeper.leased()
    context.say(
        "bake", f"{colour} carries all traffic; its alarms are checked for {request.bake:.0f} s"
    )
    end, checked = context.now() + request.bake, context.now()
    while context.now() < end:
        context.sleep_until(min(end, context.now() + timing.period))
        ending = watch.look()
        if ending is not None:
            return ending
        try:
            states = context.ports.state.alarms(request.alarms)
            checked = context.now()
        except StateError as error:
            context.warn(str(error))
            if context.now() - checked >= timing.patience:
                return Ending(None, "The alarms cannot be read, so the bake was stopped")
            continue
        raised = [f"{name} is {state}" for name, state in states.items() if state not in WATCHED]
        if raised:
            return Ending(
                Verdict.FAIL, f"While the candidate carried all traffic, {', '.join(raised)}"
            )
    return None


def commit(context: Context, colour: str) -> None:
    """Make the candidate live, on the proxy and in the state: both or neither."""
    context.ports.shield()
    context.keeper.unleased()
    context.promoting = True
    context.ports.traffic.promote(colour)
    error: StateError | None = None
    for _ in range(ATTEMPTS):
        try:
            context.ports.state.set_live(Live(colour, context.values.get("candidate", "")))
        except StateError as failure:
            error = failure
            context.ports.clock.sleep(1)
        else:
            context.say("promoted", f"{colour} is live")
            return
    raise TrafficError(f"{colour} was promoted, but the state could not be updated: {error}")
