"""Counts: exact tests and limits against their sources."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from canary.stats.counts import (
    conditional_p,
    dispersion,
    poisson_lower,
    poisson_upper,
    rate_ratio_interval,
)

FEW = settings(max_examples=30)


# Expected: scipy 1.17, binomtest(a, n, p, alternative="greater").pvalue
@pytest.mark.parametrize(("a", "n", "p"), [(5, 5, 0.5), (15, 42, 0.1), (3, 40, 0.1), (0, 9, 0.3)])
def test_the_conditional_test_matches_scipy(a: int, n: int, p: float) -> None:
    expected = stats.binomtest(a, n, p, alternative="greater").pvalue
    assert float(conditional_p(float(a), float(n), p)) == pytest.approx(expected, rel=1e-9)


# Expected: the table of F. Garwood (1936), 95 % two-sided limits of a Poisson mean.
@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (5, 1.6235, 11.6683), (10, 4.7954, 18.3904)],
)
def test_poisson_limits_are_garwoods(count: int, low: float, high: float) -> None:
    assert float(poisson_lower(float(count), 0.025)) == pytest.approx(low, abs=1e-4)
    assert float(poisson_upper(float(count), 0.025)) == pytest.approx(high, abs=1e-4)


@FEW
@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.05, 0.95))
def test_a_rate_ratio_lies_in_its_interval(a: int, b: int, share: float) -> None:
    one = (np.array([float(a)]), np.array([float(b)]), np.array([share]))
    low, middle, high = rate_ratio_interval(*one, 0.05)
    assert low[0] <= middle[0] <= high[0]


def test_poisson_counts_have_no_dispersion_and_bursts_have() -> None:
    generator = np.random.default_rng(3)
    total = np.full((200, 40), 20.0)
    share, everyone = np.full((200, 40), 0.5), np.ones((200, 40), dtype=bool)
    calm = generator.binomial(20, 0.5, (200, 40)).astype(float)
    wild = np.where(generator.random((200, 40)) < 0.2, 19.0, calm)
    assert dispersion(calm, total, share, everyone)[0].mean() < 1.1
    assert dispersion(wild, total, share, everyone)[0].mean() > 1.5
