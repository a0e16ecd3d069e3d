"""The channels that show harm in counts, and the division of alpha among them by a rehearsal."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest

from canary.judge import judge
from canary.judge.batch import Arms, judge_many, learn
from canary.judge.comparison import comparison_of
from canary.judge.counts import Counts
from canary.judge.rule import rule_of
from canary.judge.spending import COLD, RANKED, Parts
from canary.learned import Learned
from canary.policy import Policy, parse_policy
from canary.stats.distributions import Floats
from tests.unit.canary.verdict_recordings import healthy

PERIODS = 30
REQUESTS = 3000.0


def policy() -> Policy:
    return parse_policy(
        f"version: 1\nperiod: 60s\nwarmup: 0s\nminimum: 10m\nmaximum: {PERIODS}m\nmetrics:\n"
        "- {name: errors, kind: count, per: requests}\n"
    )


def arms(
    factor: float, runs: int, seed: int, requests: float = REQUESTS, shape: float = 11.0
) -> Arms:
    """Return over-dispersed errors of 0.5 %, times ``factor`` on the candidate."""
    noise = np.random.default_rng(seed)

    def events(rate: float) -> Floats:
        spread = noise.gamma(shape, 1 / shape, (runs, PERIODS))
        return noise.poisson(rate * requests * spread).astype(float)

    chances = np.full((runs, PERIODS), requests)
    return Arms(events(0.005 * factor), events(0.005), chances, chances)


def learned(windows: Arms) -> Learned:
    found = learn(policy(), "errors", windows)
    assert found is not None
    return found


def model(known: Learned | None, sign: float = 1.0) -> Counts:
    metric = policy().metrics[0]
    found = comparison_of(metric, arms(1.0, 20, 1), rule_of(policy(), metric, sign, known))
    assert isinstance(found, Counts)
    return found


@pytest.mark.parametrize("parts", [COLD, RANKED])
def test_the_parts_of_alpha_add_up(parts: Parts) -> None:
    assert sum(astuple(parts)) == pytest.approx(1.0)


def test_without_a_rehearsal_there_are_no_ranks() -> None:
    names = {channel.name for channel in model(None).channels(PERIODS)}
    assert names == {"expanding", "window", "exact"}


def test_a_rehearsal_adds_ranks_and_says_how_dense_counts_are() -> None:
    known = learned(arms(1.0, 60, 2))
    assert known.dense is not None
    assert known.dense > 0.5
    assert 30 in dict(known.kappa["ranks"])
    found = model(known)
    assert found.parts == RANKED
    assert "ranks" in {channel.name for channel in found.channels(PERIODS)}
    assert "ranks" not in {channel.name for channel in found.channels(4)}


@pytest.mark.parametrize("windows", [8, 50])
def test_a_rehearsal_in_which_errors_came_in_batches_costs_no_power(windows: int) -> None:
    """The noise it measures is honest, and far above the default."""
    known = learned(arms(1.0, windows, 7, shape=1.5))
    assert known.noise.tau > 2 * rule_of(policy(), policy().metrics[0], 1.0).noise.tau
    looks = tuple(range(6, PERIODS + 1, 6))
    harmed = {"errors": arms(2.5, 200, 8, shape=1.5)}
    cold, warm = (judge_many(policy(), harmed, one, looks) for one in ({}, {"errors": known}))
    found = [int((one.first_fail > 0).sum()) for one in (cold, warm)]
    assert found[0] > 100
    assert found[1] >= found[0] - 10


def test_kappa_grows_where_counts_scatter_beyond_any_default() -> None:
    """Where even the channels without a rehearsal are far too bold, FAIL needs more."""
    calm, wild = (
        rule_of(policy(), policy().metrics[0], 1.0, learned(windows)).harm
        for windows in (arms(1.0, 60, 9), drifting(60, 9))
    )
    assert calm is not None
    assert wild is not None
    assert calm.kappa("exact", PERIODS) <= 1.3
    assert wild.kappa("exact", PERIODS) > 1.5


def drifting(runs: int, seed: int) -> Arms:
    """Equal arms of which each keeps a rate of its own for a whole window."""
    noise = np.random.default_rng(seed)
    chances = np.full((runs, PERIODS), REQUESTS)

    def events() -> Floats:
        own = np.exp(noise.normal(0, 0.8, (runs, 1))) * np.ones((1, PERIODS))
        return noise.poisson(0.005 * REQUESTS * own).astype(float)

    return Arms(events(), events(), chances, chances)


def test_the_lean_of_ranks_is_taken_off_either_way() -> None:
    """Uneven splits bias the ranks to one side. Equal arms must not look worse because of that."""
    known = replace(learned(arms(1.0, 60, 2)), rank_lean=0.2)

    def ranks(sign: float) -> Floats:
        return next(c.z for c in model(known, sign).channels(PERIODS) if c.name == "ranks")

    plain = ranks(1.0) + ranks(-1.0)
    assert np.allclose(plain, 0.0), "the lean turns with the direction of harm"
    unleaned = model(replace(known, rank_lean=0.0)).channels(PERIODS)[-1].z
    assert np.allclose(unleaned - ranks(1.0), 0.2 * np.sqrt(PERIODS))


@pytest.mark.long
def test_ranks_find_moderate_harm_and_leave_equal_arms_alone() -> None:
    known = {"errors": learned(arms(1.0, 200, 4))}
    looks = tuple(range(4, PERIODS + 1, 2))
    harmed = judge_many(policy(), {"errors": arms(1.5, 200, 5)}, known, looks)
    equal = judge_many(policy(), {"errors": arms(1.0, 1000, 6)}, known, looks)
    assert (harmed.first_fail > 0).mean() > 0.5, "this harm is no larger than its margin"
    assert (equal.first_fail > 0).mean() <= 0.012


def test_who_has_counters_of_the_proxy_alone_is_not_told_to_rehearse() -> None:
    """The proxy's counters have no past from which a rehearsal could learn."""
    rule = "{name: errors, kind: count%s}"
    text = "version: 1\nperiod: 60s\nmetrics:\n- " + rule
    own, proxys = (
        judge(parse_policy(text % source), healthy()).quality[-1]
        for source in ("", ", source: proxy.errors")
    )
    assert own.endswith("is assumed, not measured. To measure it: canary rehearse")
    assert proxys.endswith("because the proxy keeps no past counts to measure it from")


def test_counts_that_lack_at_a_change_of_weights_say_that_more_periods_help() -> None:
    """It said "25 % of the periods lack a value", which reads as a fault of the proxy."""
    recording = healthy()
    gaps = tuple(
        replace(one, values=tuple(None if at % 3 == 0 else x for at, x in enumerate(one.values)))
        if one.metric == "errors"
        else one
        for one in recording.series
    )
    text = "version: 1\nperiod: 60s\nmetrics:\n- {name: errors, kind: count, margin: x20%s}"
    own, proxys = (
        judge(parse_policy(text % source), replace(recording, series=gaps)).findings[0].sentence
        for source in ("", ", source: proxy.errors")
    )
    assert "of the periods lack a value, at most 20 % may. If errors is reported only" in own
    assert proxys.endswith(
        "of the periods lack a value, at most 20 % may. The proxy's counts at a change of its "
        "weights are left out; more periods make up for it"
    )
