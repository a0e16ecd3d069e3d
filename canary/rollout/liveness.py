"""Instances that serve traffic but report no metrics."""

from __future__ import annotations

import numpy as np

from canary.evidence.table import table_of
from canary.model import Arm
from canary.policy import Policy
from canary.rollout.progress import Progress
from canary.stats.paired import Mask


def silent_instances(policy: Policy, progress: Progress, look: int) -> str:
    """Return a sentence about candidate instances that serve traffic but report no metrics.

    It covers the newest periods. An instance without requests may have nothing to report, and a
    period that the proxy did not count is ignored.
    """
    periods = policy.missing.consecutive
    newest = [look - number * progress.period for number in range(1, periods + 1)]
    table = table_of(policy, progress.recording(), look)
    group = table.groups[Arm.CANDIDATE]
    reports: Mask = np.any(group.reported[:, np.isin(table.times, newest)], axis=1)
    names = [
        host
        for host, reported in zip(group.hosts, reports, strict=True)
        if not reported and all(progress.counted.served.get(host, {}).get(time) for time in newest)
    ]
    if not names:
        return ""
    return (
        f"{' and '.join(names)} of the candidate served requests for {periods} periods but "
        "reported no metrics. Is its agent running, and is settle long enough?"
    )
