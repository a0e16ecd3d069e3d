"""After PASS: the candidate carries all traffic under the lease and alarms, then becomes live.

During the bake the old colour is still live: if this process fails, the lease returns traffic to
it. The candidate becomes live only after a bake without an alarm.
"""

from __future__ import annotations

from canary.errors import StateError, TrafficError
from canary.model import Verdict
from canary.rollout import gates
from canary.rollout.context import Context
from canary.rollout.mark import Stage
from canary.rollout.outcome import Ending
from canary.rollout.progress import Progress
from canary.rollout.watch import Watch
from canary.state.base import Live

WATCHED = ("OK", "INSUFFICIENT_DATA")
ATTEMPTS = 3


def promote(context: Context, progress: Progress) -> Ending:
    """Bake the candidate, then make it live."""
    watch = Watch(context, progress)
    ending = None
    if context.mark.stage is not Stage.BAKE:  # the promotion was approved before the bake
        ending = gates.wait_for_promotion(context, watch)
    return ending or _bake(context, progress, watch) or settle(context, progress, watch)


def settle(context: Context, progress: Progress, watch: Watch) -> Ending:
    """Make the candidate live if it still runs the judged release."""
    if (ending := watch.identified()) is not None:
        return ending
    reason = progress.judgements[-1].reason
    commit(context, progress.pairing.candidate.colour)
    return Ending(Verdict.PASS, reason, settled=True)


def _bake(context: Context, progress: Progress, watch: Watch) -> Ending | None:
    request, timing = context.request, context.timing
    if request.bake <= 0:
        return None
    _give_all(context, progress)
    end, checked = context.mark.until, context.now()
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


def _give_all(context: Context, progress: Progress) -> None:
    """Let the candidate carry all traffic, with a lease."""
    colour, seconds = progress.pairing.candidate.colour, context.request.bake
    if context.mark.stage is not Stage.BAKE:
        context.reach(Stage.BAKE, until=context.now() + seconds)
    context.ports.traffic.set(colour, 1.0, context.timing.lease)
    progress.share = 1.0
    context.keeper.leased()
    sentence = f"{colour} carries all traffic; its alarms are checked for {seconds:.0f} s"
    if not context.said(sentence):
        context.say("bake", sentence)


def commit(context: Context, colour: str) -> None:
    """Make the candidate live, on the proxy and in the state: both or neither."""
    context.ports.shield()
    context.reach(Stage.COMMIT)
    context.keeper.unleased()
    context.promoting = True
    context.ports.traffic.promote(colour, leased=True)
    error: StateError | None = None
    for _ in range(ATTEMPTS):
        try:
            context.ports.state.set_live(Live(colour, context.values.get("candidate", "")))
        except StateError as failure:
            error = failure
            context.ports.clock.sleep(1)
        else:
            _confirm(context, colour)
            context.say("promoted", f"{colour} is live")
            return
    raise TrafficError(f"{colour} was promoted, but the state could not be updated: {error}")


def _confirm(context: Context, colour: str) -> None:
    """Check that nobody else moved traffic while the state was written."""
    try:
        live = context.ports.traffic.status().live
    except TrafficError as error:
        context.warn(str(error))
        return
    if live != colour:
        raise TrafficError(f"{colour} was promoted, but another user made {live} live meanwhile")
