"""Customers that nobody sees: an instance that serves them, and sends nothing."""

from __future__ import annotations

from canary.evidence.liveness import reported_periods
from canary.model import Arm
from canary.rollout.progress import Progress


def silent_instances(progress: Progress, look: int, periods: int) -> str:
    """Name the candidate's instances that served in each of the newest periods and sent nothing.

    An instance that the proxy gave no request may have had nothing to send; and what the proxy did
    not count, because it did not answer, is not held against anybody.
    """
    sent = reported_periods(progress.readings.series())
    newest = [look - number * progress.period for number in range(1, periods + 1)]
    names = [
        instance
        for instance in progress.pairing.candidate.instances
        if all(progress.counted.served.get(instance, {}).get(time) for time in newest)
        and not sent.get((Arm.CANDIDATE, instance), set()).intersection(newest)
    ]
    if not names:
        return ""
    return (
        f"{' and '.join(names)} of the candidate served customers for {periods} periods, of which "
        "nothing was heard. Does its agent run, and is settle long enough?"
    )
