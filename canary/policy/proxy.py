"""What the proxy measures by itself: the sources of metrics that begin with ``proxy.``."""

from __future__ import annotations

PROXY = "proxy."
"""Prefix of the source: proxy.retries, proxy.latency."""
COUNTERS = (
    "requests",
    "errors",
    "retries",
    "redispatches",
    "connection_errors",
    "response_errors",
    "check_failures",
)
LATENCY = "latency"
"""The one measure that is no count: the mean time of a response, in milliseconds."""


def misread(measure: str, kind: str, statistic: str, unit: str | None) -> str:
    """Return why a metric cannot be this measure of the proxy, or an empty string.

    >>> misread("eror", "count", "sum", None).partition(";")[0]
    'the proxy does not measure proxy.eror'
    """
    if measure == LATENCY:
        if kind != "latency" or statistic != "mean":
            return (
                f"{PROXY}{LATENCY} is the mean of a latency; write kind: latency, statistic: mean"
            )
        return "" if unit == "ms" else f"{PROXY}{LATENCY} is in milliseconds; write unit: ms"
    if measure not in COUNTERS:
        known = ", ".join(PROXY + name for name in (*COUNTERS, LATENCY))
        return f"the proxy does not measure {PROXY}{measure}; it has {known}"
    return "" if kind == "count" else f"{PROXY}{measure} counts events; write kind: count"
