"""Whether the data can be trusted: gaps, too little traffic, a wrong traffic split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from canary.evidence.liveness import reported_periods
from canary.evidence.pairs import Pairs, counted_share, meant_share, needs_samples
from canary.formatting import percent
from canary.model import Arm, Recording
from canary.policy import Metric, Policy


@dataclass(frozen=True, slots=True)
class Quality:
    """Sentences about the data. While there is one in ``blocking``, nothing can PASS."""

    blocking: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """All sentences, the blocking ones first."""
        return self.blocking + self.notes


def quality_of(
    policy: Policy, recording: Recording, pairs: dict[str, Pairs], times: tuple[int, ...]
) -> Quality:
    """Check the data as a whole; ``times`` are the starts of the judged periods."""
    blocking = (*_split(policy, recording), *_silent_instances(policy, recording, times))
    return Quality(blocking, tuple(_notes(recording, pairs)))


def doubt(policy: Policy, metric: Metric, pairs: Pairs) -> str:
    """Return why a metric cannot PASS on this data, or an empty string."""
    return _missing(policy, pairs) or silence(policy, pairs) or _scarce(policy, metric, pairs)


def _missing(policy: Policy, pairs: Pairs) -> str:
    expected = int(pairs.expected.sum())
    lost = expected - int(pairs.both.sum())
    allowed = policy.missing.share
    if expected < policy.missing.consecutive or lost <= allowed * expected:
        return ""
    return f"{percent(lost / expected)} of the periods lack a value, at most {percent(allowed)} may"


def silence(policy: Policy, pairs: Pairs) -> str:
    """Return that only the candidate has stopped reporting, or an empty string."""
    there = zip(
        pairs.expected[::-1],
        np.isfinite(pairs.candidate.values)[::-1],
        np.isfinite(pairs.baseline.values)[::-1],
        strict=True,
    )
    gap = 0
    for expected, candidate, baseline in there:
        if expected and candidate:
            break
        gap += bool(expected and baseline)
    if gap < policy.missing.consecutive:
        return ""
    return f"the candidate reported no value for {gap} periods while the baseline did"


def _scarce(policy: Policy, metric: Metric, pairs: Pairs) -> str:
    if not needs_samples(metric):
        return ""
    least = policy.traffic_rule.minimum_samples
    for side, arm in ((pairs.candidate, "candidate"), (pairs.baseline, "baseline")):
        seen = side.samples[pairs.both]
        known = seen[np.isfinite(seen)]
        if len(known) and known.sum() < least:
            return f"the {arm} has {known.sum():,.0f} samples, at least {least:,} are required"
    return ""


def _split(policy: Policy, recording: Recording) -> list[str]:
    """Compare the split that the proxy counted with the intended one."""
    found = []
    tolerance = policy.traffic_rule.split_tolerance.value / 100
    for index, step in enumerate(recording.steps):
        share, meant = counted_share(recording, index), meant_share(step)
        if share is None or meant is None:
            continue
        if abs(share - meant) > tolerance or share < meant / 3:
            found.append(
                f"the proxy sent {percent(share)} of both arms' requests to the candidate "
                f"instead of {percent(meant)}"
            )
    return found


def _silent_instances(policy: Policy, recording: Recording, times: tuple[int, ...]) -> list[str]:
    """Return a sentence for each candidate instance that serves traffic but reports no metrics.

    An instance that reports any metric is live: a metric that it does not report may have had no
    events. The proxy's own counters do not show whether an instance reports.
    """
    proxys = {metric.name for metric in policy.metrics if metric.counter is not None}
    reported = reported_periods(one for one in recording.series if one.metric not in proxys)
    sent: dict[str, set[int]] = {name: set() for name in recording.candidate.instances}
    sent |= {name: times for (arm, name), times in reported.items() if arm is Arm.CANDIDATE}
    anybody = set().union(*sent.values())
    known = [time for time in times if time in anybody]  # otherwise the whole arm is silent
    if len(known) < policy.missing.consecutive:
        return []
    return [
        f"the candidate's {instance} reported no metrics in {lost} of {len(known)} periods"
        for instance, seen in sorted(sent.items())
        if (lost := sum(time not in seen for time in known)) > policy.missing.share * len(known)
        or not seen.intersection(known[-policy.missing.consecutive :])
    ]


def _notes(recording: Recording, pairs: dict[str, Pairs]) -> list[str]:
    notes = []
    fewest = [min(p.candidate.instances, p.baseline.instances) for p in pairs.values()]
    if fewest and max(fewest) < 2:
        notes.append(
            "one instance per arm: a difference between the hosts cannot be told from a difference "
            "between the releases"
        )
    unknown = [name for name in pairs if name not in recording.calibration]
    if unknown and len(unknown) == len(pairs):
        notes.append(
            "uncalibrated: the noise of this environment is assumed, not measured. "
            "To measure it: canary rehearse"
        )
    elif unknown:
        notes.append(f"uncalibrated: the noise of {', '.join(unknown)} is assumed, not measured")
    return notes
