"""Values that stop, freeze or have no ratio: nothing passes, and the report says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from canary.judge import judge
from canary.model import Recording, Series, Verdict
from canary.policy import parse_policy
from tests.unit.canary.suspect_windows import (
    PERIODS,
    POLICY,
    Change,
    finding,
    judged,
    of,
    policy,
    window,
)

Edit = Callable[[list[float]], list[float | None]]


def missing(*periods: int) -> Edit:
    return lambda values: [None if at in periods else v for at, v in enumerate(values)]


def with_gauge(candidate: Edit, baseline: Edit = list) -> Recording:
    """Return a healthy window with a CPU of about 40 on each host, after an edit for each arm."""
    random = np.random.default_rng(5)
    kept = window()
    own: list[Series] = []
    for one in kept.series:
        if one.metric == "latency":
            load = [float(x) for x in 40 * np.exp(0.02 * random.standard_normal(PERIODS))]
            edit = candidate if one.instance.startswith("candidate") else baseline
            own.append(replace(one, metric="cpu", values=tuple(edit(load)), samples=()))
    return replace(kept, series=(*kept.series, *own))


GAUGE = parse_policy(POLICY + "- {name: cpu, kind: gauge}\n")


@pytest.mark.parametrize("since", [32, 20])
def test_a_host_that_stops_reporting_one_metric_is_named_and_nothing_passes(since: int) -> None:
    """Its requests would drop out of the metric, while the host still serves them."""
    silent = of("errors", "candidate-2", missing(*range(since, PERIODS)))
    found = finding(judged(window(silent)), "errors")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert f"candidate-2 reported no errors in {PERIODS - since} of 40 periods" in found.sentence
    assert "absent: zero" in found.sentence


@pytest.mark.parametrize("look", [8, 14, 20, 39])
def test_values_that_every_host_loses_at_random_name_no_host(look: int) -> None:
    """In a young run, two of eight values of a host are often lost so."""
    for seed in range(6):
        random = np.random.default_rng(seed)

        def some(one: Series, random: np.random.Generator = random) -> Series:
            lost = np.flatnonzero(random.random(PERIODS) < 0.15).tolist()
            return replace(one, values=tuple(missing(*lost)([v or 0.0 for v in one.values])))

        recording = window(some)
        findings = judge(policy(), recording, recording.looks[look]).findings
        assert not any("but other metrics" in one.sentence for one in findings)
        assert not any("time zones" in one.sentence for one in findings)


def stuck(host: str, since: int) -> Change:
    """Repeat the values and requests of a host from a period on."""

    def changed(one: Series) -> Series:
        if not one.instance.startswith(host):
            return one
        values, samples = (
            [*part[:since], *[part[since]] * (PERIODS - since)]
            for part in (one.values, one.samples)
        )
        return replace(one, values=tuple(values), samples=tuple(samples))

    return changed


@pytest.mark.parametrize("host", ["candidate", "candidate-2", "baseline"])
def test_values_that_stop_changing_never_pass(host: str) -> None:
    """A stuck exporter repeats the last good value during an outage."""
    judgement = judged(window(stuck(host, 24)))
    assert judgement.verdict is not Verdict.PASS
    found = finding(judgement, "latency").sentence
    assert "in the last 16 periods" in found
    assert "its source may be stuck" in found


def test_rounded_values_that_repeat_by_chance_pass() -> None:
    rounded = of("latency", "", lambda values: [float(round(v / 4)) for v in values])
    assert "stuck" not in finding(judged(window(rounded)), "latency").sentence


def test_a_gauge_in_percent_beside_a_share_of_one_does_not_pass() -> None:
    judgement = judged(with_gauge(lambda values: [v / 100 for v in values]), GAUGE)
    assert judgement.verdict is not Verdict.PASS
    assert "times smaller than the baseline's" in finding(judgement, "cpu").sentence


def test_a_gauge_that_is_often_zero_has_no_ratio_there_and_does_not_pass() -> None:
    """The zeros of the baseline would be left out, and hide that its mean is half as high."""
    half: Edit = lambda values: [v if at % 2 else 0.0 for at, v in enumerate(values)]  # noqa: E731
    found = finding(judged(with_gauge(list, half), GAUGE), "cpu")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "of 40 values of each arm, 0 of the candidate's and 20 of the baseline's are 0" in (
        found.sentence
    )
    assert finding(judged(with_gauge(list), GAUGE), "cpu").verdict is Verdict.PASS


def test_a_gauge_of_negative_values_names_the_kind_that_may_be_negative() -> None:
    found = finding(judged(with_gauge(lambda values: [-v for v in values]), GAUGE), "cpu")
    assert "all values of the candidate are negative" in found.sentence
    assert "kind: level" in found.sentence


def test_a_relative_level_of_zero_is_no_difference_of_zero() -> None:
    found = finding(judged(window(of("memory", "baseline", lambda vs: [0.0] * len(vs)))), "memory")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "reported exactly 0 in all 40 periods; no ratio to 0 exists" in found.sentence


def test_successes_counted_as_errors_never_pass() -> None:
    """A third of the candidate's requests fail, and so it has fewer "errors"."""

    def successes(one: Series) -> Series:
        if one.metric != "errors":
            return one
        part = 0.66 if one.instance.startswith("candidate") else 0.995
        return replace(one, values=tuple(float(round(part * (n or 0))) for n in one.samples))

    found = finding(judged(window(successes)), "errors")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "If this counts successes, count failures instead" in found.sentence


def without_traffic(since: int) -> Change:
    """Take all requests from the candidate from a period on; its hosts report 0 of them."""

    def changed(one: Series) -> Series:
        if not one.instance.startswith("candidate") or one.metric == "memory":
            return one
        samples = [n if at < since else 0.0 for at, n in enumerate(one.samples)]
        values = [v if at < since else 0.0 for at, v in enumerate(one.values)]
        return replace(one, values=tuple(values), samples=tuple(samples))

    return changed


@pytest.mark.parametrize("metric", ["requests", "errors", "latency"])
def test_a_candidate_that_gets_no_requests_any_more_does_not_pass(metric: str) -> None:
    """Zero requests have no ratio, so these periods would be left out unnoticed."""
    found = finding(judged(window(without_traffic(30))), metric)
    assert found.verdict is not Verdict.PASS
    assert "the candidate had no requests in 10 periods" in found.sentence
    assert "time zones" not in found.sentence


def outage(host: str, first: int, last: int) -> Change:
    def changed(one: Series) -> Series:
        if one.metric != "errors" or not one.instance.startswith(host):
            return one
        inside = range(first, last)
        pairs = zip(one.values, one.samples, strict=True)
        return replace(
            one, values=tuple(n if at in inside else v for at, (v, n) in enumerate(pairs))
        )

    return changed


def test_an_outage_that_is_over_is_told_with_its_time() -> None:
    """Its weight in the mean is limited, and that of the warm-up is not judged at all."""
    warm = policy().model_copy(update={"warmup": 180})
    judgement = judged(window(outage("candidate", 0, 3)), warm)
    told = [one for one in judgement.quality if "requests failed" in one]
    assert len(told) == 1
    assert "errors: 100 % of the candidate's requests failed" in told[0]
    assert "in 3 periods between 1970-01-14 21:20 and 1970-01-14 21:23" in told[0]
    assert "all of them in the warm-up, which is not judged" in told[0]
    both = judged(window(outage("", 0, 3)), warm).quality
    assert not any("in 3 periods" in one for one in both)


def test_the_only_instance_of_one_arm_is_told_as_such() -> None:
    kept = window(lambda one: None if one.instance == "candidate-2" else one)
    told = " ".join(judged(kept).quality)
    assert "one instance of the candidate: a difference between the hosts" in told
    assert "per arm" not in told
