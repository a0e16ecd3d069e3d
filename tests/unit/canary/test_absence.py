"""Counts whose series exist only after the first event."""

from __future__ import annotations

from dataclasses import replace

import pytest

from canary.errors import PolicyError
from canary.model import Arm, Series, Verdict
from canary.policy import parse_policy
from tests.unit.canary.suspect_windows import Change, finding, judged, policy, window

ZERO = policy(errors={"absent": "zero"})


def only_events(one: Series) -> Series:
    """Leave out every period without an error, with its requests."""
    if one.metric != "errors":
        return one
    values = tuple(value or None for value in one.values)
    pairs = zip(values, one.samples, strict=True)
    return replace(one, values=values, samples=tuple(n if v else None for v, n in pairs))


def without(metric: str, host: str) -> Change:
    return lambda one: None if one.metric == metric and one.instance.startswith(host) else one


def rare(rate: float) -> Change:
    """Keep only a few of the baseline's errors, and all of the candidate's."""

    def changed(one: Series) -> Series:
        if one.metric != "errors" or one.arm is Arm.CANDIDATE:
            return one
        kept = (1.0 if at % round(1 / rate) == 0 else 0.0 for at in range(len(one.values)))
        return replace(one, values=tuple(kept))

    return changed


def test_a_baseline_without_errors_is_zero_where_the_policy_says_so() -> None:
    recording = window(without("errors", "baseline"), errors=0.02)
    assert judged(recording, ZERO).verdict is Verdict.FAIL
    assert "0 % of the baseline's" in finding(judged(recording, ZERO), "errors").sentence


@pytest.mark.parametrize("host", ["baseline", "candidate", "candidate-2"])
def test_without_the_word_the_sentence_names_it(host: str) -> None:
    judgement = judged(window(without("errors", host)))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "absent: zero" in finding(judgement, "errors").sentence


def test_one_host_without_an_error_does_not_hold_pass_back() -> None:
    assert judged(window(without("errors", "candidate-2")), ZERO).verdict is Verdict.PASS


def test_sparse_errors_are_judged_with_zeros_between_them() -> None:
    recording = window(rare(0.1), only_events, errors=0.03)
    assert judged(recording, ZERO).verdict is Verdict.FAIL
    doubted = finding(judged(recording), "errors")
    assert doubted.verdict is not Verdict.PASS
    assert "absent: zero" in doubted.sentence


def test_a_host_that_reports_nothing_is_silent_and_not_zero() -> None:
    def silent(one: Series) -> Series:
        late = range(len(one.values))
        if one.instance != "candidate-2":
            return one
        return replace(one, values=tuple(one.values[at] if at < 30 else None for at in late))

    judgement = judged(window(silent), ZERO)
    assert judgement.verdict is not Verdict.PASS
    assert "candidate-2" in judgement.reason


def test_the_word_is_for_counts() -> None:
    text = "version: 1\nmetrics:\n- {name: cpu, kind: gauge, absent: zero}\n"
    with pytest.raises(PolicyError, match="absent: zero is for counts of the source"):
        parse_policy(text)
