"""The lead-in: both groups run the live release for a while, before the candidate is deployed.

It shows how far these very hosts differ. Meanwhile no new release serves users. The weight is
leased as in a canary: if this process dies, the proxy returns all traffic to the live colour.
"""

from __future__ import annotations

from dataclasses import replace

from canary.environment import other_colour
from canary.errors import SourceError, StateError
from canary.formatting import duration
from canary.model import LeadIn, Release
from canary.rollout.context import Context
from canary.rollout.mark import Stage
from canary.rollout.outcome import Ending
from canary.rollout.prepare import install, prepared, published
from canary.rollout.progress import Progress
from canary.rollout.standby import no_longer_standby
from canary.rollout.steps import await_period, raise_weight
from canary.rollout.watch import Watch

LARGEST_SHARE = 0.5
"""The share of the idle colour, unless the last step's is smaller."""


def lead_in(context: Context, baseline: Release) -> LeadIn | Ending | None:
    """Return the data of the lead-in, or how it ended the canary.

    None: no lead-in was requested, or its data could not be read.
    """
    if not context.policy.lead_in:
        return None
    idle = other_colour(context.request.colours, baseline.colour)
    _install_live(context, baseline, idle)
    same = Release(baseline.name, baseline.commit, idle)
    progress = prepared(context, baseline, same)
    ending = _serve(context, progress, idle)
    _return_traffic(context)
    return ending if ending is not None else _read(context, progress)


def _install_live(context: Context, baseline: Release, idle: str) -> None:
    ref = context.request.baseline or baseline.commit or context.meant.release
    if not ref:
        raise StateError(
            f"A lead-in installs the live release on {idle}, but which one is live is not known. "
            "Name it: --baseline REF"
        )
    release = published(context, ref)
    if context.meant.release and release.release != context.meant.release:
        raise StateError(
            f"A lead-in needs the live release {context.meant.release} on {idle}, but {ref} is "
            f"release {release.release}. Name the live one: --baseline REF"
        )
    no_longer_standby(context.ports.traffic, idle)
    install(context, release, idle)


def _serve(context: Context, progress: Progress, idle: str) -> Ending | None:
    """Give the idle colour its share, and watch the proxy until the time is over."""
    await_period(context)
    share = min(context.timing.steps[-1], LARGEST_SHARE)
    context.touched = True
    context.reach(Stage.DEPLOY)
    raise_weight(context, progress, share)
    length = duration(context.policy.lead_in)
    context.say("lead-in", f"both colours run the live release for {length}; {idle} serves too")
    watch, period = Watch(context, progress), context.timing.period
    end = _end(context, progress)
    while context.now() < end:
        context.sleep_until(min(end, context.now() + period))
        ending = watch.look()
        if ending is not None:
            verdict = ending.verdict if ending.settled else None
            return replace(ending, verdict=verdict, reason=f"In the lead-in: {ending.reason}")
    return None


def _end(context: Context, progress: Progress) -> int:
    """Return when the last whole period of the lead-in ends."""
    period = context.timing.period
    return progress.steps[0].start + context.policy.lead_in // period * period


def _return_traffic(context: Context) -> None:
    """Return all traffic to the live colour, because a deployment to the idle one follows."""
    context.keeper.unleased()
    context.ports.traffic.release()


def _read(context: Context, progress: Progress) -> LeadIn | None:
    end = _end(context, progress)
    context.sleep_until(context.timing.until(end))
    try:
        progress.readings.read(end)
    except SourceError as error:
        context.warn(f"The canary continues without its lead-in: {error}")
        return None
    return LeadIn(progress.steps[0], end, progress.readings.series())
