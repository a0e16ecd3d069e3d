"""Checks that a service has users, if a policy judges only counters of the proxy."""

from __future__ import annotations

from canary.rollout.context import Context

LEAST_SECONDS = 2.0
"""Time without a request after which a canary warns."""


def requests_so_far(context: Context, live: str) -> int | None:
    """Return the live colour's requests, or None if the policy judges no counter of the proxy."""
    if all(metric.counter is None for metric in context.policy.metrics):
        return None
    return context.ports.traffic.status().total("requests", live)


def warn_without_users(context: Context, live: str, before: int | None, seconds: float) -> None:
    """Warn if no request came for ``seconds``; ``before`` is the count at their start."""
    if before is None or seconds < LEAST_SECONDS or requests_so_far(context, live) != before:
        return
    context.warn(
        f"No request reached {live} in {seconds:.0f} s, and without traffic nothing can be judged. "
        "Send requests to the proxy, or start them with the hook load"
    )
