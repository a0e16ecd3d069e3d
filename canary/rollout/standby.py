"""The proxy's view of a deployment: which colour is healthy, and which is a standby.

A standby is the idle colour with the previous release or the live one. It replaces the live colour
if that goes down, and a rollback returns to it. Deploy hooks do not need to know this.
"""

from __future__ import annotations

from collections.abc import Callable

from canary.errors import TrafficError
from canary.rollout.identity import exchanged
from canary.traffic.base import Status, Traffic, colour_of

START_SECONDS = 120.0
"""Time limit until the proxy finds a deployed release healthy."""


def require_healthy(status: Status, colour: str) -> None:
    """Refuse a colour without servers, or with a server that does not take traffic."""
    servers = status.servers(colour)
    if not servers:
        raise TrafficError(f"The proxy has no {colour} server; run the deployment first")
    down = {name: status.states.get(name, "unknown") for name in status.down(colour)}
    if down:
        states = ", ".join(f"{name} is {state}" for name, state in down.items())
        raise TrafficError(f"Not every {colour} server is healthy: {states}")


def wait_until_up(
    traffic: Traffic, colour: str, now: Callable[[], float], sleep: Callable[[float], None]
) -> Status:
    """Wait until every server of a colour is healthy."""
    patience = now() + START_SECONDS
    while True:
        try:
            status = traffic.status()
            require_healthy(status, colour)
        except TrafficError as error:
            if now() >= patience:
                raise TrafficError(f"{error}, {START_SECONDS:.0f} s after its deployment") from None
        else:
            return status
        sleep(1)


def no_longer_standby(traffic: Traffic, colour: str) -> None:
    """Stop using the idle colour as a standby before another release is installed on it."""
    fallback = traffic.status().fallback
    if any(colour_of(name) == colour for name in fallback):
        traffic.standby(colour, may=False)


def require_release(status: Status, colour: str, release: str) -> None:
    """Refuse a colour whose servers report a release other than the installed one."""
    if wrong := exchanged(status, dict.fromkeys(status.servers(colour), release)):
        raise TrafficError(f"After its deployment, {wrong}. Check what the deploy hook installs")
