"""Policies and data of teams that know another tool, and the judge's sentences for them."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle, islice

import pytest
from rich.console import Console

from canary.cli.harm import detectable_harm
from canary.errors import PolicyError
from canary.model import Arm, Finding, Judgement, Series, Verdict
from canary.policy import parse_policy
from canary.report.findings import size
from canary.report.terminal import render_terminal
from tests.unit.canary.suspect_windows import Change, finding, judged, policy, window


def given(metric: str, candidate: tuple[float, ...], baseline: tuple[float, ...]) -> Change:
    """Give the hosts of each arm these values of a metric in turn."""

    def changed(one: Series) -> Series:
        own = candidate if one.arm is Arm.CANDIDATE else baseline
        values = tuple(islice(cycle(own), len(one.values)))
        return replace(one, values=values) if one.metric == metric else one

    return changed


def test_errors_of_the_candidate_alone_are_told_as_counts_and_not_as_a_multiple_of_none() -> None:
    recording = window(given("errors", (80, 90, 100), (0,)))
    judgement = judged(recording)
    errors = finding(judgement, "errors")
    assert (judgement.verdict, errors.verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert "decides" not in errors.sentence
    assert size(errors).endswith("against 0")
    console = Console(width=100)
    with console.capture() as shown:
        console.print(render_terminal(policy(), recording, (judgement,)))
    row = next(line for line in shown.get().splitlines() if line.startswith("errors"))
    assert "against 0" in row
    assert "times" not in row


def test_errors_on_both_arms_are_told_as_a_change() -> None:
    assert "against" not in size(finding(judged(window(errors=0.02)), "errors"))


def test_a_baseline_that_fails_alone_is_told_beside_a_pass() -> None:
    judgement = judged(window(given("errors", (14, 15, 17), (890, 900, 915))))
    assert judgement.verdict is Verdict.PASS
    assert any("errors: the baseline is bad" in sentence for sentence in judgement.quality)


def test_a_limit_that_never_changes_gets_its_remedy() -> None:
    asked = policy(memory={"kind": "gauge"})
    constant = window(given("memory", (512,), (512,)))
    stuck = finding(judged(constant, asked), "memory")
    assert "both arms reported exactly 512" in stuck.sentence
    assert "kind: level" in stuck.sentence
    assert finding(judged(constant), "memory").verdict is Verdict.PASS


@pytest.mark.parametrize("whole", [1.0, 100.0])
def test_a_share_of_successes_is_better_counted(whole: float) -> None:
    worse, usual = (0.96 * whole, 0.957 * whole), (0.995 * whole, 0.993 * whole)
    recording = window(given("memory", worse, usual))
    series = [replace(s, metric="success_rate") for s in recording.series if s.metric == "memory"]
    metric = "{name: success_rate, kind: level, harm: decrease, margin: 1%}"
    asked = parse_policy(f"version: 1\nwarmup: 0s\nmaximum: 40m\nmetrics: [{metric}]")
    found = finding(judged(replace(recording, series=tuple(series)), asked), "success_rate")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "kind: count" in found.sentence


def test_the_keys_of_other_programs_are_translated() -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy("version: 1\nmetrics: [{name: a, kind: quantile, quantile: 0.9}]")
    assert "quantile is not a key. Write statistic: p90." in str(refused.value)


def test_nothing_is_said_of_harm_that_no_metric_can_tell() -> None:
    told = Judgement(0, Verdict.PASS, "", (Finding("latency", Verdict.PASS, "", critical=True),))
    assert detectable_harm(policy(), told) == ""
