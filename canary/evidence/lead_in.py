"""The evidence of a lead-in: pairs of periods in which both arms ran the live release."""

from __future__ import annotations

from dataclasses import replace

from canary.evidence.pairs import Pairs, pairs_by_name
from canary.evidence.table import Table, table_of
from canary.model import Arm
from canary.policy import Policy


def lead_pairs(policy: Policy, table: Table) -> dict[str, Pairs]:
    """Return the pairs of a lead-in by metric, without its warm-up; empty if there was none.

    Hosts that ``table`` no longer holds, such as a sick one, are left out here too.
    """
    recording = table.recording
    lead = recording.lead_in
    if lead is None:
        return {}
    alone = replace(recording, steps=(lead.step,), series=lead.series, split=(), lead_in=None)
    before = table_of(policy, alone, lead.end)
    for arm in Arm:
        gone = set(before.groups[arm].hosts) - set(table.groups[arm].hosts)
        before = before.without(arm, sorted(gone)) if gone else before
    begin = lead.step.start + policy.warmup
    times = [int(time) for time in before.times if begin <= time <= lead.end - policy.period]
    return pairs_by_name(policy.metrics, before, times)


def same_hosts(one: Pairs, other: Pairs) -> bool:
    """Return whether both pairs compare the same hosts."""
    sides = ((one.candidate, other.candidate), (one.baseline, other.baseline))
    return all(set(first.hosts) == set(second.hosts) for first, second in sides)
