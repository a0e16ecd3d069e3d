"""Checks that the traffic was split as intended."""

from __future__ import annotations

import numpy as np

from canary.evidence.pairs import Pairs, counted_share, meant_share
from canary.evidence.pooling import needs_samples
from canary.evidence.table import Table
from canary.formatting import percent
from canary.model import Recording
from canary.policy import Metric, Policy

LEAST_REQUESTS = 200
LEAST_PERIODS = 3
ONE_ADDRESS = (
    "It tells users apart by their address, unless proxy_sticky is set, and one address, such as "
    "that of a load generator or a CDN, is one user"
)


def split_by_proxy(policy: Policy, recording: Recording) -> list[str]:
    """Compare the split that the proxy counted with the intended one."""
    found = []
    for index, step in enumerate(recording.steps):
        share, meant = counted_share(recording, index), meant_share(step)
        if share is not None and meant is not None and _off(policy, share, meant):
            found.append(
                f"the proxy sent {percent(share)} of both arms' requests to the candidate "
                f"instead of {percent(meant)}. {ONE_ADDRESS}"
            )
    return found


def split_by_requests(policy: Policy, table: Table, pairs: dict[str, Pairs]) -> str:
    """Compare the requests that both arms report with the intended split of a past window.

    If the candidate loses requests later in the window, that is harm, not another split. So only
    the first half of the periods counts.
    """
    recording = table.recording
    if recording.split or len(recording.steps) != 1:
        return ""
    meant = meant_share(recording.steps[0])
    share = _share(policy, pairs)
    if meant is None or share is None or not _off(policy, share, meant):
        return ""
    if table.incomplete:
        return "some hosts are left out, so the arms' requests are not all there"
    return (
        f"the candidate has {percent(share)} of both arms' requests instead of {percent(meant)}; "
        f"if the traffic was split so, say --share {100 * share:.2g}%"
    )


def _share(policy: Policy, pairs: dict[str, Pairs]) -> float | None:
    for metric in policy.metrics:
        requests = _requests(metric, pairs[metric.name])
        if requests is None:
            continue
        periods = np.flatnonzero(np.isfinite(requests).all(axis=0))
        early = periods[: max(len(periods) // 2, LEAST_PERIODS)]
        candidate, baseline = requests[:, early].sum(axis=1)
        if len(early) >= LEAST_PERIODS and candidate + baseline >= LEAST_REQUESTS:
            return float(candidate / (candidate + baseline))
    return None


def _requests(
    metric: Metric, pairs: Pairs
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    """Return both arms' requests by period, if the metric has them."""
    sides = (pairs.candidate, pairs.baseline)
    if metric.kind == "throughput":
        return np.stack([np.where(pairs.expected, side.values, np.nan) for side in sides])
    if needs_samples(metric) and metric.per == "requests":
        return np.stack([np.where(pairs.expected, side.samples, np.nan) for side in sides])
    return None


def _off(policy: Policy, share: float, meant: float) -> bool:
    tolerance = policy.traffic_rule.split_tolerance.value / 100
    return abs(share - meant) > tolerance or share < meant / 3
