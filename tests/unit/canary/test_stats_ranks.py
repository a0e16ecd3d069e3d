"""Ranks against scipy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from canary.stats.ranks import average_ranks

value = st.sampled_from([0.0, 1.0, 1.0, 2.5, -3.0, float("inf")])


@given(st.lists(st.lists(value, min_size=6, max_size=6), min_size=1, max_size=5))
def test_ranks_are_those_of_scipy(rows: list[list[float]]) -> None:
    values = np.array(rows)
    assert np.array_equal(average_ranks(values), rankdata(values, axis=1))
    assert np.array_equal(average_ranks(values[0]), rankdata(values[0]))
