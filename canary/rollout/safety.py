"""Returns traffic to the live colour, and retries until the proxy confirms it."""

from __future__ import annotations

from dataclasses import dataclass

from canary.environment import other_colour
from canary.rollout.context import Context
from canary.traffic.base import Status

ATTEMPTS = 10
PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Safety:
    """Who carries traffic at the end, and whether the proxy confirmed it."""

    sentence: str
    seen: bool


def make_safe(context: Context, live: str) -> Safety:
    """Return all traffic to ``live``, and say whether the proxy confirmed it."""
    candidate = other_colour(context.request.colours, live)
    problem = ""
    for attempt in range(ATTEMPTS):
        try:
            if attempt:
                context.ports.clock.sleep(PAUSE)
            status = _give_back(context, live)
        except Exception as error:  # even a bug must not prevent the next attempt
            problem = str(error)
            continue
        if not status.weight(candidate) and status.live == live:
            return Safety(f"{live} carries all traffic.", seen=True)
        problem = f"the proxy still has weights {dict(status.weights)}, live {status.live}"
    rollback = f"canary rollback --env {context.request.environment}"
    return Safety(
        f"The proxy did not confirm that {live} carries all traffic ({problem}). Its lease gives "
        f"traffic back within {context.timing.lease} s. Check it: {rollback}",
        seen=False,
    )


def _give_back(context: Context, live: str) -> Status:
    traffic, state = context.ports.traffic, context.ports.state
    status = traffic.release()
    if context.promoting:  # a promotion that was not completed
        if status.live != live:
            status = traffic.promote(live)
        if state.live().colour != live:
            state.set_live(context.meant)
    return status
