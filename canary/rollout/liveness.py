"""Instances that serve traffic but report no metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from canary.evidence.table import Table, table_of
from canary.model import Arm
from canary.policy import Policy
from canary.rollout.progress import Progress
from canary.stats.paired import Mask

BUSY = 10
"""An instance that served so many requests in a period has metrics of that period. The proxy counts
until ``settle`` seconds after the period, so a smaller number may belong to the next one."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Sentences about candidate instances that serve traffic but report no metrics, or nothing.

    Attributes:
        newest: about those that reported nothing in the last period.
        lasting: about those that reported nothing for ``missing.consecutive`` periods.
    """

    newest: str = ""
    lasting: str = ""


def silence(policy: Policy, progress: Progress, look: int) -> Silence:
    """Return who was silent. An instance without requests may have nothing to report.

    A period that the proxy did not count is ignored.
    """
    table = table_of(policy, progress.recording(), look)
    periods = policy.missing.consecutive
    newest = _silent(progress, table, look, periods=1, least=BUSY)
    lasting = _silent(progress, table, look, periods, least=1)
    return Silence(
        f"{newest} of the candidate reported no metrics in the last period" if newest else "",
        f"{lasting} of the candidate served requests for {periods} periods but reported no "
        "metrics. Is its agent running, and is settle long enough?"
        if lasting
        else "",
    )


def _silent(progress: Progress, table: Table, look: int, periods: int, least: int) -> str:
    """Return the names of those that served so many requests in each of the newest periods."""
    newest = [look - number * progress.period for number in range(1, periods + 1)]
    group = table.groups[Arm.CANDIDATE]
    reports: Mask = np.any(group.reported[:, np.isin(table.times, newest)], axis=1)
    served = progress.counted.served
    return " and ".join(
        host
        for host, reported in zip(group.hosts, reports, strict=True)
        if not reported and all(served.get(host, {}).get(time, 0) >= least for time in newest)
    )
