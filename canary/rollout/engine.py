"""One canary, from taking the lock to a safe state.

At the end, traffic is made safe first, whether the cause is a verdict, an error, a signal or a bug.
If the process is killed, the weight lease on the proxy makes traffic safe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from canary.environment import other_colour
from canary.errors import CanaryError, Interruption
from canary.model import Verdict
from canary.rollout import gates
from canary.rollout.context import Context
from canary.rollout.lead_in import lead_in
from canary.rollout.mark import Stage
from canary.rollout.outcome import Ending, Outcome
from canary.rollout.prepare import deploy, establish, preflight
from canary.rollout.progress import Progress
from canary.rollout.promote import promote
from canary.rollout.safety import Safety, make_safe
from canary.rollout.steps import observe
from canary.rollout.watch import Watch

UNTOUCHED = Safety("Traffic was not touched.", seen=True)


@dataclass(slots=True)
class Known:
    """The results of the phases so far, even if the phases are interrupted."""

    live: str = ""
    progress: Progress | None = None


def run(
    context: Context,
    archive: Callable[[Outcome], None],
    phases: Callable[[Context, Known], Ending] | None = None,
) -> Outcome:
    """Run one canary; ``archive`` stores its outcome once traffic is safe.

    ``phases`` replaces deployment, steps and promotion.
    """
    known = Known()
    context.started = context.started or context.now()
    ending = Ending(None, "The canary was interrupted")
    try:
        ending = _attempt(context, known, phases or release)
    finally:
        context.ports.shield()
        context.reach(Stage.END, ending=ending)
        # Traffic first: the lease keeper may still be waiting, but it cannot raise a weight.
        safety = _safe(context, known.live, ending)
        context.ports.background.stop()
    outcome = _outcome(context, known, ending, safety)
    _conclude(context, outcome, archive)
    return outcome


def _attempt(context: Context, known: Known, phases: Callable[[Context, Known], Ending]) -> Ending:
    try:
        return phases(context, known)
    except CanaryError as error:
        return Ending(None, str(error))
    except (Interruption, KeyboardInterrupt) as interruption:
        return Ending(None, f"Stopped by {str(interruption) or 'Ctrl-C'}")
    except Exception as error:  # even a bug must not leave traffic on the candidate
        return Ending(None, f"An error in canary itself: {type(error).__name__}: {error}")


def release(context: Context, known: Known) -> Ending:
    """Deploy the candidate, go through the steps, and promote it."""
    known.live = preflight(context)
    context.reach(Stage.DEPLOY)
    baseline = establish(context, known.live)
    lead = lead_in(context, baseline)
    if isinstance(lead, Ending):
        return lead
    known.progress = deploy(context, baseline)
    known.progress.lead_in = lead
    ending = observe(context, known.progress, Watch(context, known.progress))
    return after_steps(context, known.progress, ending)


def after_steps(context: Context, progress: Progress, ending: Ending | None) -> Ending:
    """Hold a canary that a person may decide, or promote one that has not ended."""
    if ending is not None:
        return gates.hold(context, Watch(context, progress), ending)
    return promote(context, progress)


def _safe(context: Context, live: str, ending: Ending) -> Safety:
    if not context.touched:
        return UNTOUCHED
    if ending.settled:
        return Safety(
            f"{other_colour(context.request.colours, live)} is live and carries all traffic.",
            seen=True,
        )
    return make_safe(context, live)


def _outcome(context: Context, known: Known, ending: Ending, safety: Safety) -> Outcome:
    progress = known.progress
    if all(event.kind != "end" for event in context.events):
        sentence = f"{ending.verdict or 'could not run'}: {ending.reason}. {safety.sentence}"
        context.say("end", sentence)
    live = other_colour(context.request.colours, known.live) if ending.settled else known.live
    return Outcome(
        canary=context.request.name,
        verdict=ending.verdict,
        reason=ending.reason,
        traffic=safety.sentence,
        safe=safety.seen,
        live=live,
        started=context.started,
        ended=context.now(),
        recording=progress.recording(context.events) if progress else None,
        judgements=tuple(progress.judgements) if progress else (),
        warnings=context.warnings,
    )


def _conclude(context: Context, outcome: Outcome, archive: Callable[[Outcome], None]) -> None:
    """Run the last hook, store the outcome, free the lock. The verdict is already final."""
    if context.touched:
        promoted = outcome.verdict is Verdict.PASS or outcome.live == context.values["colour"]
        hook = "promoted" if promoted else "rolled_back"
        verdict = str(outcome.verdict or "could not run")
        _quietly(context, f"run the {hook} hook", lambda: _last_hook(context, hook, verdict))
    _quietly(context, "store this canary's files", lambda: archive(outcome))
    _quietly(context, "free the lock", lambda: context.ports.state.free(context.keeper.holder))


def _last_hook(context: Context, hook: str, verdict: str) -> None:
    if hook in context.mark.begun:
        context.warn(
            f"The {hook} hook had begun when the controller was killed; it is not started again"
        )
        return
    context.hook(hook, verdict=verdict)


def _quietly(context: Context, what: str, action: Callable[[], None]) -> None:
    """Call it; after an error or a signal, warn and continue, because traffic is safe."""
    try:
        _interruptibly(context, action)
    except Interruption as interruption:
        context.warn(f"Could not {what}: stopped by {interruption}")
    except Exception as error:
        context.warn(f"Could not {what}: {error}")


def _interruptibly(context: Context, action: Callable[[], None]) -> None:
    try:
        context.ports.unshield()
        action()
    finally:
        context.ports.shield()
