"""Learned noise, trends, late harm, and ranks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from canary.stats.distributions import t_to_z
from canary.stats.learn import growing_widths, learn_noise, tail_width
from canary.stats.paired import Noise, paired_mean
from canary.stats.ranks import rank_z
from canary.stats.trend import slope
from canary.stats.window import window_mean
from tests.unit.canary.test_stats import ar1


@pytest.mark.long
def test_a_slope_in_correlated_noise_is_as_sure_as_it_says() -> None:
    generator = np.random.default_rng(9)
    d = ar1(generator, 4000, 50, 0.7, 0.5) + 0.03 * np.arange(50)
    noise = Noise(tau=0.5, phi=0.7, host=0.0, tau_weight=30, phi_weight=100)
    found = slope(d, noise)
    assert found.mean.mean() == pytest.approx(0.03, abs=0.001)
    z = t_to_z((found.mean - 0.03) / found.error, found.df)
    assert 0.85 < z.std() < 1.15


def test_the_window_sees_what_started_late_and_not_what_ended() -> None:
    generator = np.random.default_rng(10)
    calm = 0.02 * generator.standard_normal((200, 40))
    late, healed = calm.copy(), calm.copy()
    late[:, -14:] += 0.3
    healed[:, -14:-6] += 0.3
    noise, v = Noise(0.02, 0.0, 0.0), np.zeros_like(calm)
    found = window_mean(late, v, noise, 18, 6)
    assert (found.t > 4).all()
    assert (found.least > 0.15).all()
    assert (window_mean(healed, v, noise, 18, 6).least < 0.1).all()


@pytest.mark.long
def test_learning_finds_the_noise_that_is_there() -> None:
    generator = np.random.default_rng(12)
    hosts = 0.02 * generator.standard_normal((400, 1))
    v = np.full((400, 60), 0.01**2)
    d = hosts + ar1(generator, 400, 60, 0.6, 0.03) + 0.01 * generator.standard_normal((400, 60))
    found = learn_noise(d, v, Noise(0.1, 0.3, 0.01))
    assert found.tau == pytest.approx(0.03, rel=0.1)
    assert found.phi == pytest.approx(0.6, abs=0.08)
    assert found.host == pytest.approx(0.02, rel=0.25)


@pytest.mark.parametrize(("wider", "least", "most"), [(1.0, 1.3, 2.0), (0.1, 0.9, 1.15)])
def test_a_default_gives_way_to_data_that_scatter_more(
    wider: float, least: float, most: float
) -> None:
    d = 1.2 * np.random.default_rng(12).standard_normal((2000, 12))
    noise = Noise(tau=0.4, phi=0.0, host=0.0, tau_weight=20.0, wider=wider)
    found = paired_mean(d, np.zeros_like(d), noise)
    assert least < t_to_z(found.t, found.df).std() < most


def test_a_default_holds_as_firmly_against_data_that_scatter_less() -> None:
    d = 0.1 * np.random.default_rng(12).standard_normal((50, 12))
    sure, same = (
        paired_mean(d, np.zeros_like(d), Noise(tau=0.4, phi=0.0, host=0.0, wider=wider))
        for wider in (1.0, 0.1)
    )
    assert np.array_equal(sure.error, same.error)


def test_tails_wider_than_normal_are_noticed() -> None:
    generator = np.random.default_rng(13)
    normal = generator.standard_normal(5000)
    assert 0.9 < tail_width(normal) < 1.15
    assert tail_width(1.5 * normal) > 1.3
    assert tail_width(normal[:50]) == 1.0


def test_where_sampling_hides_the_environment_its_memory_is_the_usual_one() -> None:
    """With few requests, percentiles scatter ten times as much as the environment."""
    noise = np.random.default_rng(20261126)
    v = np.full((200, 30), 0.045)
    d = noise.normal(0, np.sqrt(v))
    found = learn_noise(d, v, Noise(0.05, 0.2, 0.01))
    assert found.phi < 0.5


def test_the_width_of_ranks_grows_with_what_hosts_differ_by() -> None:
    noise = np.random.default_rng(20261126)
    lengths = (8, 16, 30, 60)
    fair = growing_widths({k: noise.normal(0, 1, 400) for k in lengths})
    assert max(fair.values()) < 1.12
    biased = growing_widths({k: noise.normal(0, np.sqrt(1 + 0.02 * k), 400) for k in lengths})
    assert biased[60] == pytest.approx(np.sqrt(2.2), rel=0.08)
    assert biased[8] < biased[16] < biased[30] < biased[60]
    assert growing_widths({}) == {}


@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_scipys_with_ties_and_holes(seed: int) -> None:
    noise = np.random.default_rng(seed)
    x, y = noise.poisson(3, (2, 1, 20)).astype(float)
    mask = noise.random((1, 20)) > 0.2
    wanted = stats.mannwhitneyu(x[mask], y[mask], method="asymptotic", use_continuity=False)
    z = rank_z(x, y, mask)[0]
    assert 2 * stats.norm.sf(abs(z)) == pytest.approx(wanted.pvalue, rel=1e-9)
    assert rank_z(y, x, mask)[0] == pytest.approx(-z)


def test_ranks_of_nothing_say_nothing() -> None:
    assert rank_z(np.zeros((1, 5)), np.zeros((1, 5)), np.zeros((1, 5), dtype=bool))[0] == 0
    assert rank_z(np.ones((1, 5)), np.ones((1, 5)), np.ones((1, 5), dtype=bool))[0] == 0
