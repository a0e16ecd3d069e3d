"""What a person does by hand: look, promote, roll back. Idempotent, and without the lock.

The proxy comes first, for it is what customers meet; then the environment's memory follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from canary.errors import CanaryError, StateError, TrafficError
from canary.state.base import Holder, State
from canary.traffic.base import Status, Traffic


@dataclass(frozen=True, slots=True)
class Situation:
    """What is intended, what is real, and how they differ."""

    remembered: str
    status: Status
    holder: Holder | None
    differences: tuple[str, ...]


def situation(environment: str, traffic: Traffic, state: State) -> Situation:
    """Compare the environment's memory with what the proxy really does."""
    status, remembered, holder = traffic.status(), state.live(), state.holder()
    differences = []
    if status.live != remembered:
        differences.append(
            f"{remembered} is remembered as live, but the proxy serves {status.live}: "
            f"canary promote --env {environment} --colour {status.live}"
        )
    if status.lease_until is not None and holder is None:
        differences.append(
            "a candidate carries traffic, but no canary holds the lock: its lease takes the "
            f"weight back, or canary rollback --env {environment} does"
        )
    if down := status.down(status.live):
        differences.append(f"{', '.join(down)} of the live colour {status.live} is down")
    return Situation(remembered, status, holder, tuple(differences))


def promote(colour: str | None, colours: tuple[str, str], traffic: Traffic, state: State) -> str:
    """Make ``colour``, or the candidate that carries traffic now, live; say what was done."""
    status = traffic.status()
    if colour is None:
        colour = next((c for c in colours if c != status.live and status.weight(c)), None)
    if colour is None:
        raise TrafficError(
            f"No candidate carries traffic, and {status.live} is live; say which to promote: "
            f"--colour {' or --colour '.join(colours)}"
        )
    if colour not in colours:
        raise TrafficError(f"No colour is named {colour!r}; there are {' and '.join(colours)}")
    already = status.live == colour and status.lease_until is None
    if not already:
        traffic.promote(colour)
    _remember(colour, state)
    return f"{colour} is live already" if already else f"{colour} is live and carries all traffic"


def rollback(colours: tuple[str, str], traffic: Traffic, state: State) -> str:
    """Take a candidate's weight back, or return to the release before; say what was done."""
    status = traffic.status()
    live = status.live
    other = colours[1] if live == colours[0] else colours[0]
    if status.lease_until is not None or status.weight(other):
        traffic.release()
        _remember(live, state)
        return f"{other} lost its weight; {live} carries all traffic"
    if any(name in status.fallback for name in status.servers(other)):
        traffic.promote(other)
        _remember(other, state)
        return f"Back to the release before: {other} is live and carries all traffic"
    _remember(live, state)
    return f"Nothing to take back: {live} is live, and {other} holds no release to return to"


def _remember(colour: str, state: State) -> None:
    try:
        if state.live() != colour:
            state.set_live(colour)
    except CanaryError as error:
        raise StateError(
            f"Traffic is at {colour}, but that could not be remembered: {error}. Try again later"
        ) from error
