"""Whether the data can be trusted: gaps, too little traffic, a wrong traffic split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from canary.evidence.bad_baseline import bad_baseline
from canary.evidence.comparable import remedy
from canary.evidence.host_changes import host_notes, new_hosts, silent_hosts
from canary.evidence.oddities import Oddity, oddities_of
from canary.evidence.pairs import Pairs
from canary.evidence.pooling import needs_samples
from canary.evidence.split import split_by_proxy, split_by_requests
from canary.evidence.table import Table
from canary.evidence.units import larger_unit
from canary.formatting import percent
from canary.model import Recording
from canary.policy import Metric, Policy
from canary.stats.paired import Mask

AT_STEPS = "The proxy's counts at a change of its weights are left out; more periods make up for it"
UNMEASURABLE = "because the proxy keeps no past counts to measure it from"


@dataclass(frozen=True, slots=True)
class Quality:
    """Sentences about the data. While ``blocking`` has one, nothing can PASS."""

    blocking: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """All sentences, the blocking ones first."""
        return self.blocking + self.notes


def quality_of(
    policy: Policy, table: Table, pairs: dict[str, Pairs], judged: tuple[tuple[int, ...], int]
) -> Quality:
    """Check the data as a whole; ``judged`` are the starts of its periods, and its end."""
    times, until = judged
    columns = table.columns(times)
    blocking = (
        *split_by_proxy(policy, table.recording),
        *silent_hosts(policy, table, columns),
        *new_hosts(table, columns),
    )
    split = "" if table.incomplete else split_by_requests(policy, table, pairs)
    odd = map(_odd, oddities_of(policy, table, until))
    other = (larger_unit(metric, pairs[metric.name]) for metric in policy.metrics)
    more = (pairs[metric.name].excess for metric in policy.metrics)
    bad = (bad_baseline(metric, pairs[metric.name]) for metric in policy.metrics)
    hosts = host_notes(table, columns, pairs)
    notes = (*bad, *more, split, *hosts, *_notes(policy, table.recording, pairs), *other, *odd)
    return Quality(blocking, tuple(filter(None, notes)))


def doubt(policy: Policy, metric: Metric, pairs: Pairs) -> str:
    """Return why a metric cannot PASS on this data, or an empty string."""
    return wrong(policy, metric, pairs) or _scarce(policy, metric, pairs)


def wrong(policy: Policy, metric: Metric, pairs: Pairs) -> str:
    """Return what is wrong with a metric's data that a longer run does not fix."""
    return (
        pairs.doubt
        or _missing(policy, metric, pairs)
        or silence(policy, pairs)
        or _absent(metric, pairs)
    )


def _missing(policy: Policy, metric: Metric, pairs: Pairs) -> str:
    expected = int(pairs.expected.sum())
    lost = expected - int(pairs.both.sum())
    allowed = policy.missing.share
    if expected < policy.missing.consecutive or lost <= allowed * expected:
        return ""
    lack = f"{percent(lost / expected)} of the periods lack a value"
    why = remedy(metric) if metric.counter is None else f". {AT_STEPS}"
    return f"{lack}, at most {percent(allowed)} may{why}"


def silence(policy: Policy, pairs: Pairs) -> str:
    """Return a sentence if only the candidate has stopped reporting, or an empty string."""
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


def stopped(policy: Policy, pairs: Pairs) -> bool:
    """Return whether the candidate has not reported lately, regardless of the baseline."""
    reported: Mask = np.isfinite(pairs.candidate.values)[pairs.expected]
    newest = reported[-policy.missing.consecutive :]
    return len(newest) == policy.missing.consecutive and not newest.any()


def _absent(metric: Metric, pairs: Pairs) -> str:
    """Return a sentence about candidate instances that report other metrics but not this one."""
    if not pairs.absent:
        return ""
    named = "instances" if len(pairs.absent) > 1 else "instance"
    without = " (a value without samples is not usable)" if needs_samples(metric) else ""
    whose = f"the candidate's {named} {' and '.join(pairs.absent)}"
    return f"{whose} reported no value of {metric.name}{without}{remedy(metric)}"


def _scarce(policy: Policy, metric: Metric, pairs: Pairs) -> str:
    if not needs_samples(metric):
        return ""
    least = policy.traffic_rule.minimum_samples
    for side, arm in pairs.sides:
        seen = side.samples[pairs.both]
        known = seen[np.isfinite(seen)]
        if len(known) and known.sum() < least:
            return f"the {arm} has {known.sum():,.0f} samples, at least {least:,} are required"
    return ""


def _odd(oddity: Oddity) -> str:
    """Return sentences about oddities that no other sentence covers."""
    where = f"{oddity.metric} of {oddity.host} ({oddity.group})"
    match oddity.kind:
        case "duplicate":
            return f"{where} has more than one series: each counts as one host"
        case "impossible":
            return f"{where} holds {oddity.count} negative or infinite values, which are not used"
        case "off grid":
            return f"{where} holds {oddity.count} values between two periods, which are not used"
        case "silent":
            return ""


def _notes(policy: Policy, recording: Recording, pairs: dict[str, Pairs]) -> list[str]:
    notes = []
    if alone := _single(pairs):
        notes.append(
            f"one instance {alone}: a difference between the hosts cannot be told from a "
            "difference between the releases"
        )
    unknown = [name for name in pairs if name not in recording.calibration.metrics]
    if unknown and len(unknown) == len(pairs):
        measurable = any(metric.counter is None for metric in policy.metrics)
        notes.append(
            "uncalibrated: the noise of this environment is assumed, "
            + ("not measured. To measure it: canary rehearse" if measurable else UNMEASURABLE)
        )
    elif unknown:
        notes.append(f"uncalibrated: the noise of {', '.join(unknown)} is assumed, not measured")
    return notes


def _single(pairs: dict[str, Pairs]) -> str:
    """Return whose only instance is compared: "per arm", "of the candidate", or an empty string."""
    sides = {
        "candidate": max((len(one.candidate.hosts) for one in pairs.values()), default=2),
        "baseline": max((len(one.baseline.hosts) for one in pairs.values()), default=2),
    }
    single = [arm for arm, most in sides.items() if most < 2]
    return "per arm" if len(single) == 2 else f"of the {single[0]}" if single else ""
