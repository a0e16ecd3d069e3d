"""Kept recordings get the same verdict, deciding look and numbers as before.

`python -m tests.bench.freeze` writes the answers again if a change of verdicts is intended.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from canary.model import Recording, Verdict
from canary.policy import Policy
from tests.bench.freeze import ANSWERS, answer, kept

RECORDINGS = {name: (policy, recording) for name, policy, recording in kept()}
FROZEN: dict[str, Any] = json.loads(ANSWERS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(FROZEN))
def test_a_kept_recording_replays_to_the_same_verdict_look_and_numbers(name: str) -> None:
    assert differences(FROZEN[name], answer(*RECORDINGS[name])) == []


def test_every_kept_recording_has_its_answer_and_every_verdict_occurs() -> None:
    assert sorted(RECORDINGS) == sorted(FROZEN)
    assert {said["last"]["verdict"] for said in FROZEN.values()} == set(Verdict)
    assert any(said["deciding"] is None for said in FROZEN.values())


def test_one_sample_that_differs_is_noticed() -> None:
    """A test of the comparison: a value changed in its fifth digit shows in the numbers."""
    name = "s1-30-latency-x1-10"
    policy, recording = RECORDINGS[name]
    assert differences(FROZEN[name], answer(policy, nudged(policy, recording)))


def nudged(policy: Policy, recording: Recording) -> Recording:
    """Return the recording with one value of the policy's first metric slightly changed."""
    metric = policy.metrics[0].name
    at, one = next((at, one) for at, one in enumerate(recording.series) if one.metric == metric)
    values = tuple(
        value * 1.0001 if period == 3 and value is not None else value
        for period, value in enumerate(one.values)
    )
    changed = replace(one, values=values)
    return replace(recording, series=(*recording.series[:at], changed, *recording.series[at + 1 :]))


def differences(frozen: Any, now: Any, where: str = "") -> list[str]:
    """Return the places at which two answers differ, numbers by more than their last digits."""
    if isinstance(frozen, dict) and isinstance(now, dict):
        names = sorted(frozen.keys() | now.keys())
        found = (differences(frozen.get(k), now.get(k), f"{where}/{k}") for k in names)
        return [one for part in found for one in part]
    same = frozen == now
    if isinstance(frozen, float) and isinstance(now, float):
        same = now == pytest.approx(frozen, rel=1e-12, abs=1e-12)
    return [] if same else [f"{where}: {frozen!r} before, {now!r} now"]
