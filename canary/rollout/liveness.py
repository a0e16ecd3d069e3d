"""Customers that nobody sees: an instance that serves them, and sends nothing."""

from __future__ import annotations

import numpy as np

from canary.evidence.table import table_of
from canary.model import Arm
from canary.policy import Policy
from canary.rollout.progress import Progress
from canary.stats.paired import Mask


def silent_instances(policy: Policy, progress: Progress, look: int) -> str:
    """Name the candidate's instances that served in each of the newest periods and sent nothing.

    An instance that the proxy gave no request may have had nothing to send; and what the proxy did
    not count, because it did not answer, is not held against anybody.
    """
    periods = policy.missing.consecutive
    newest = [look - number * progress.period for number in range(1, periods + 1)]
    table = table_of(policy, progress.recording(), look)
    group = table.groups[Arm.CANDIDATE]
    sent: Mask = np.any(group.reported[:, np.isin(table.times, newest)], axis=1)
    names = [
        host
        for host, heard in zip(group.hosts, sent, strict=True)
        if not heard and all(progress.counted.served.get(host, {}).get(time) for time in newest)
    ]
    if not names:
        return ""
    return (
        f"{' and '.join(names)} of the candidate served customers for {periods} periods, of which "
        "nothing was heard. Does its agent run, and is settle long enough?"
    )
