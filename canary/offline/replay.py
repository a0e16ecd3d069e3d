"""Judge a recording at every look, as its canary did or would have."""

from __future__ import annotations

from canary.evidence.table import table_of
from canary.judge import judge, judge_table
from canary.model import Judgement, Recording, Verdict
from canary.policy import Policy


def judge_looks(policy: Policy, recording: Recording) -> tuple[Judgement, ...]:
    """Judge at every look, as the canary did or would have. The first FAIL ends the replay.

    A look uses no later data. Looks inside the warm-up are left out.
    """
    if not recording.steps:
        return ()
    table = table_of(policy, recording)
    late = any(one.late for one in recording.series)
    warm = recording.steps[0].start + policy.warmup
    found: list[Judgement] = []
    for look in recording.looks:
        if look < warm:
            continue
        found.append(judge(policy, recording, look) if late else judge_table(policy, table, look))
        if found[-1].verdict is Verdict.FAIL:
            break
    return tuple(found)
