"""Few windows change the defaults a little, many replace them, and no data gets too much weight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from canary.judge.batch import Arms, judge_many
from canary.judge.calibration import learn
from canary.judge.priors import ALIKE, Setting, cold_noise, setting_of
from canary.judge.rule import rule_of
from canary.judge.shrinkage import Worth, trust_of
from canary.learned import Fingerprint, Learned
from canary.policy import Metric, Policy

Floats = np.ndarray
RULES = Policy.model_validate(
    {
        "version": 1,
        "warmup": 0,
        "metrics": [
            {"name": "cpu", "kind": "gauge"},
            {"name": "errors", "kind": "count", "per": "requests"},
        ],
    }
)
CPU, ERRORS = RULES.metrics
NOISE, HOSTS = 0.02, 0.003
THERE = Fingerprint(60, "csv", 2, {})


def gauges(windows: int, seed: int = 1, *, harm: float = 1.0) -> Arms:
    """Return pairs of hosts with a small lasting difference and a small noise in each period."""
    noise = np.random.default_rng(seed)
    hosts = HOSTS * noise.standard_normal((windows, 1))
    d = hosts + NOISE * noise.standard_normal((windows, 60))
    nothing = np.full(d.shape, np.nan)
    return Arms(40 * harm * np.exp(d), np.full(d.shape, 40.0), nothing, nothing)


def counts(candidate: Floats, baseline: Floats, requests: float = 3000.0) -> Arms:
    chances = np.full(candidate.shape, requests)
    return Arms(candidate, baseline, chances, chances)


def known(metric: Metric, arms: Arms, worth: Worth | None = None) -> Learned:
    found = learn(RULES, metric.name, arms, worth)
    assert found is not None
    return found


def test_few_windows_move_the_default_a_little_and_many_replace_it() -> None:
    cold = cold_noise(CPU, RULES.period)
    found = [known(CPU, gauges(windows)) for windows in (1, 8, 50, 400)]
    for part, truth in (("tau", NOISE), ("host", HOSTS)):
        sizes = [getattr(cold, part), *(getattr(one.noise, part) for one in found)]
        assert sizes == sorted(sizes, reverse=True), part
        assert sizes[1] > 0.7 * sizes[0], "one window is hardly believed"
        assert truth * 0.9 < sizes[-1] < 0.25 * sizes[0]
    gates = [rule_of(RULES, CPU, 1.0, one).gate for one in (None, *found)]
    assert gates == sorted(gates, reverse=True)


def test_two_hosts_say_little_of_the_difference_between_hosts_however_long() -> None:
    """Otherwise such a difference falls to its least value, and half of later canaries fail."""
    alike = gauges(100)
    assert known(CPU, alike).noise.host < 0.4 * cold_noise(CPU, 60).host
    same_two = known(CPU, alike, Worth(100, 1))
    assert same_two.noise.host > 0.9 * cold_noise(CPU, 60).host
    assert same_two.noise.tau == pytest.approx(known(CPU, alike).noise.tau)


def test_hosts_that_differ_much_are_believed_sooner_than_hosts_that_are_alike() -> None:
    apart = gauges(4)
    apart = replace(apart, candidate=apart.candidate * np.array([[1.3], [0.75], [1.4], [0.7]]))
    assert known(CPU, apart).noise.host > 3 * cold_noise(CPU, 60).host


@pytest.mark.parametrize("steps", [20, 40])
def test_a_metric_that_rarely_differs_is_not_learned(steps: int) -> None:
    """Its differences are mostly zero, so the others look like outliers, and tau would be 0.005."""
    sticky = np.round(np.random.default_rng(3).normal(20, 6 / steps, size=(30, 60)))
    assert (sticky == 20).mean() > 0.5
    nothing = np.full(sticky.shape, np.nan)
    assert learn(RULES, "cpu", Arms(sticky, sticky[::-1], nothing, nothing)) is None


def test_sparse_errors_of_idle_processes_do_not_make_pass_impossible() -> None:
    """Nine errors on one of two idle processes must not give a tau that prevents every PASS."""
    noise = np.random.default_rng(4)
    events = (noise.random((12, 60)) < 0.004).astype(float)
    none = np.zeros_like(events)
    assert learn(RULES, "errors", counts(events, none, 5.0)) is None
    few = noise.poisson(0.5, size=(12, 60)) * (np.arange(12)[:, None] % 2 * 4.0)
    assert known(ERRORS, counts(few, few[::-1] / 4, 60.0)).noise.tau < 2


def test_a_calm_rehearsal_still_allows_for_bursts() -> None:
    noise = np.random.default_rng(5)
    calm = known(ERRORS, counts(*noise.poisson(15.0, size=(2, 200, 60)).astype(float)))
    assert min(width for _, width in calm.kappa["window"]) >= 1.4
    assert rule_of(RULES, ERRORS, 1.0, calm).rough.tau >= cold_noise(ERRORS, 60).tau
    assert rule_of(RULES, ERRORS, 1.0, calm).bursts < 0.6 * cold_noise(ERRORS, 60).tau
    assert all(width < 1.1 for _, width in calm.kappa["pass"]), "PASS needs no such allowance"


def test_a_calm_rehearsal_still_allows_for_hosts_that_differ() -> None:
    """Hosts that were alike may differ next time. FAIL allows for that, PASS does not."""
    learned = known(CPU, gauges(400))
    rule = rule_of(RULES, CPU, 1.0, learned)
    assert rule.noise.host == learned.noise.host
    assert np.hypot(rule.weather, rule.noise.host) == pytest.approx(0.5 * 0.03)


def test_arms_of_four_hosts_differ_by_half_of_what_single_hosts_do() -> None:
    four = setting_of(THERE, (4, 4), 0.5)
    assert four == Setting(variance=0.25)
    learned = known(CPU, gauges(200))
    alone, together = (rule_of(RULES, CPU, 1.0, learned, 1.0, one) for one in (ALIKE, four))
    assert together.noise.host == pytest.approx(alone.noise.host / 2)
    assert alone.noise.tau / 2 < together.noise.tau < 0.6 * alone.noise.tau
    harmed = gauges(50, 9, harm=1.06)
    harmed = replace(harmed, candidate=42.4 * (harmed.candidate / 42.4) ** 0.5)
    firsts = [
        judge_many(RULES, {"cpu": harmed}, {"cpu": learned}, setting=one).first_fail
        for one in (ALIKE, four)
    ]
    sooner, later = firsts[1], np.where(firsts[0] > 0, firsts[0], 99)
    assert (sooner < later).mean() > 0.5
    assert (sooner <= later).all()


def test_a_calibration_of_unknown_arms_is_used_as_it_is() -> None:
    assert setting_of(None, (4, 4), 0.03) == ALIKE


def test_another_split_uses_no_ranks() -> None:
    """Rates from 3 % of the traffic have another skewness than rates from one half."""
    noise = np.random.default_rng(6)
    learned = known(ERRORS, counts(*noise.poisson(15.0, size=(2, 60, 60)).astype(float)))
    uneven = setting_of(THERE, (1, 1), 0.03)
    assert uneven.uneven
    assert not setting_of(THERE, (1, 1), 0.4).uneven
    even, rule = (rule_of(RULES, ERRORS, 1.0, learned, 1.0, one) for one in (ALIKE, uneven))
    assert (even.dense is not None, rule.dense) == (True, None)
    assert min(one.kappa("expanding", 4) for one in (even, rule)) >= 1.6, "the default's"


def test_trust_grows_with_windows_and_is_never_whole() -> None:
    trusts = [trust_of(windows) for windows in (0, 8, 12, 24, 50, 200, 10_000)]
    assert trusts == sorted(trusts)
    assert (trusts[0], trusts[-1] < 1) == (0.0, True)
