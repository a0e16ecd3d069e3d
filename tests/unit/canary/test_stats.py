"""Each statistic against an external source, then invariants, then simulations."""

from __future__ import annotations

import doctest
import importlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from canary.stats.distributions import t_to_z, upper_tail_z, z_to_t
from canary.stats.effects import (
    least_variance,
    log_ratio,
    mean_variance,
    merge_counts,
    quantile_variance,
)
from canary.stats.paired import Noise, clip_arms, inflation, masked_median, paired_mean
from canary.stats.spending import moving_bound, spending_bounds

FEW = settings(max_examples=30)
MODULES = ("counts", "distributions", "effects", "paired", "ranks", "spending")


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_documentation_are_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"canary.stats.{name}"))
    assert found.attempted > 0
    assert found.failed == 0


def test_bounds_of_five_equal_looks_spend_what_they_should() -> None:
    """In 400,000 simulated trials, each look crosses its bound as often as planned."""
    spent = [0.025 * (k / 5) ** 2 for k in range(1, 6)]
    bounds = spending_bounds(spent, range(1, 6))
    generator = np.random.default_rng(20261121)
    sums = generator.standard_normal((400_000, 5)).cumsum(axis=1)
    crossed = np.maximum.accumulate(sums / np.sqrt(np.arange(1, 6)) >= bounds, axis=1)
    assert crossed.mean(axis=0) == pytest.approx(spent, abs=4 * math.sqrt(0.025 / 400_000))


# statistics.md section 3.4: alpha .001, 30 looks from the third: 4.26 at first, 3.39 at the end.
def test_bounds_of_thirty_looks() -> None:
    looks = range(3, 31)
    bounds = spending_bounds([0.001 * (k / 30) ** 2 for k in looks], looks)
    assert (round(bounds[0], 2), round(bounds[-1], 2)) == (4.26, 3.39)


def test_one_look_is_the_fixed_test() -> None:
    (bound,) = spending_bounds([0.025], [7])
    assert bound == pytest.approx(stats.norm.isf(0.025), abs=1e-6)


def test_a_look_that_may_spend_nothing_cannot_cross() -> None:
    bounds = spending_bounds([0.0, 0.01], [1, 2])
    assert bounds[0] > 30
    assert bounds[1] == pytest.approx(stats.norm.isf(0.01), abs=2e-3)


@pytest.mark.long
@pytest.mark.parametrize(("window", "looks", "alpha"), [(18, 40, 0.01), (6, 50, 0.01)])
def test_the_moving_bound_is_crossed_as_often_as_it_says(
    window: int, looks: int, alpha: float
) -> None:
    generator = np.random.default_rng(7)
    sums = generator.standard_normal((100_000, window + looks)).cumsum(axis=1)
    sums = np.pad(sums, ((0, 0), (1, 0)))
    z = (sums[:, window:] - sums[:, :-window]) / math.sqrt(window)
    crossed = (z.max(axis=1) > moving_bound(alpha, window, looks)).mean()
    assert 0.9 * alpha < crossed < 1.15 * alpha


@FEW
@given(st.floats(-30, 30), st.floats(1, 500))
def test_t_and_z_are_each_others_inverse(t: float, df: float) -> None:
    z = t_to_z(t, df)
    assert abs(z) <= abs(t) + 1e-9
    if abs(float(z)) < 30:
        assert float(z_to_t(float(z), df)) == pytest.approx(t, rel=1e-6, abs=1e-9)


def test_extreme_tails_stay_finite() -> None:
    assert np.isfinite(upper_tail_z(np.array([0.0, 1.0, 1e-300]))).all()
    assert np.isfinite(t_to_z(np.array([1e300]), 5.0)).all()


# H. A. David, H. N. Nagaraja (2003): the asymptotic variance, here against 20,000 simulated pairs.
@pytest.mark.long
@pytest.mark.parametrize("q", [0.5, 0.9, 0.99])
def test_the_variance_of_a_quantile_is_that_of_simulated_ones(q: float) -> None:
    generator = np.random.default_rng(11)
    samples = np.exp(0.7 * generator.standard_normal((2, 2_000, 1_000)))
    seen = np.log(np.quantile(samples[0], q, axis=1) / np.quantile(samples[1], q, axis=1))
    n = np.array([1000.0])
    assert float(quantile_variance(0.7, q, n, n)[0]) == pytest.approx(seen.var(), rel=0.15)
    if q == 0.5:
        means = np.log(samples[0].mean(axis=1) / samples[1].mean(axis=1))
        assert float(mean_variance(0.7, n, n)[0]) == pytest.approx(means.var(), rel=0.15)


@FEW
@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_a_log_ratio_mirrors_exactly_and_has_no_unit(a: float, b: float) -> None:
    x, y = np.array([a]), np.array([b])
    assert log_ratio(x, y)[0] == -log_ratio(y, x)[0]
    assert log_ratio(1000 * x, 1000 * y)[0] == pytest.approx(log_ratio(x, y)[0], abs=2e-10)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_what_has_no_logarithm_is_missing(value: float) -> None:
    assert np.isnan(log_ratio(np.array([value]), np.array([1.0]))).all()


def test_blocks_never_change_when_more_periods_arrive() -> None:
    generator = np.random.default_rng(5)
    g, b = generator.poisson(2.0, (2, 6, 40)).astype(float)
    n = np.full((6, 40), 500.0)
    early, late = merge_counts(g[:, :20], b[:, :20], (n[:, :20],) * 2), merge_counts(g, b, (n, n))
    done = np.isfinite(early.d)
    assert done.any()
    assert (early.d[done] == late.d[:, :20][done]).all()


def test_a_change_of_split_does_not_bias_counts() -> None:
    """Errors rise tenfold while the split changes from 10 to 50 %, but the arms stay equal."""
    generator = np.random.default_rng(6)
    share = np.r_[np.full(20, 0.1), np.full(20, 0.5)]
    rate = np.r_[np.full(20, 0.002), np.full(20, 0.02)]
    n_g, n_b = np.tile(3000 * share, (2000, 1)), np.tile(3000 * (1 - share), (2000, 1))
    g, b = (generator.poisson(rate * n).astype(float) for n in (n_g, n_b))
    blocks = merge_counts(g, b, (n_g, n_b))
    assert abs(np.nanmean(blocks.d)) < 0.02


# The textbook example: inflation of the mean of AR(1), Box, Jenkins and Reinsel, by direct sum.
@FEW
@given(st.floats(0.0, 0.95), st.integers(1, 80))
def test_inflation_is_the_direct_sum(phi: float, n: int) -> None:
    lags = np.arange(1, n)
    direct = 1 + 2 * float(((1 - lags / n) * phi**lags).sum())
    assert float(inflation(phi, n)) == pytest.approx(direct, rel=1e-9)


def ar1(generator: np.random.Generator, rows: int, n: int, phi: float, sd: float) -> np.ndarray:
    noise = sd * generator.standard_normal((rows, n))
    series = noise.copy()
    for t in range(1, n):
        series[:, t] = phi * series[:, t - 1] + math.sqrt(1 - phi**2) * noise[:, t]
    return series


@pytest.mark.long
@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8])
def test_the_mean_of_correlated_noise_is_as_sure_as_it_says(phi: float) -> None:
    """With known noise and independent sampling error, z is about standard normal."""
    generator = np.random.default_rng(int(100 * phi))
    d = ar1(generator, 4000, 40, phi, 0.03) + 0.02 * generator.standard_normal((4000, 40))
    v = np.full_like(d, 0.02**2)
    noise = Noise(tau=0.03, phi=phi, host=0.0, tau_weight=30, phi_weight=100)
    found = paired_mean(d, v, noise)
    z = t_to_z(found.t, found.df)
    assert 0.85 < z.std() < 1.1
    assert abs(z.mean()) < 0.06


def test_one_burst_hardly_moves_the_mean_and_is_what_least_leaves_out() -> None:
    generator = np.random.default_rng(8)
    d = 0.02 * generator.standard_normal((50, 30))
    burst = d.copy()
    burst[:, 10:13] += 3.0
    noise, v = Noise(0.02, 0.0, 0.0), least_variance(d)
    calm, wild = paired_mean(d, v, noise), paired_mean(burst, v, noise)
    assert np.abs(wild.mean - calm.mean).max() < 0.02
    assert (wild.least < 0.02).all()


def test_a_series_that_never_varies_has_a_mean_without_a_sample_size_or_known_noise() -> None:
    d = np.zeros((1, 30))
    found = paired_mean(d, least_variance(d), Noise(0.0, 0.0, 0.0))
    assert found.mean == 0
    assert 0 < found.error < 1e-9


def test_no_pairs_say_nothing() -> None:
    found = paired_mean(np.full((2, 10), np.nan), np.full((2, 10), np.nan), Noise(0.1, 0.5, 0.01))
    assert np.isinf(found.error).all()
    assert (found.t == 0).all()


@FEW
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20))
def test_a_masked_median_is_the_median_of_what_is_kept(values: list[float]) -> None:
    row = np.array([*values, np.nan, np.nan])
    found = masked_median(np.nan_to_num(row, nan=99.0)[None, :], np.isfinite(row)[None, :])
    assert float(found[0]) == pytest.approx(float(np.median(values)))


def test_an_arm_s_own_outlier_is_pulled_in_before_the_difference_is_taken() -> None:
    g, b = np.zeros((1, 20)), np.zeros((1, 20))
    g[0, ::2], b[0, ::2] = 0.1, 0.1
    g[0, 7] = 5.0
    v = np.full((1, 20), 0.01)
    pulled = clip_arms(g - b, g, b, v, 1.0)
    assert pulled[0, 7] < 0.3
    assert pulled[0, 8] == pytest.approx(0.0)
