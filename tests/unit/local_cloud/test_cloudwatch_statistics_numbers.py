"""Percentiles compared with numpy; many periods compared with single ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.cloudwatch import statistics
from local_cloud.cloudwatch.samples import Samples


@given(
    values=st.lists(st.integers(0, 50), min_size=1, max_size=60),
    percent=st.integers(0, 1000).map(lambda n: n / 10),
)
def test_percentiles_are_numpys_nearest_rank(values: list[int], percent: float) -> None:
    """Numpy calls the nearest rank "inverted_cdf"; Values/Counts must not differ from values."""
    weighted = Samples()
    for value in sorted(set(values)):
        count = values.count(value)
        weighted.add((0, count, count * value, value, value), 0)
    found = statistics.parse(f"p{percent}")(statistics.Buckets(weighted.rows(), 60))
    assert found[0] == np.percentile(values, percent, method="inverted_cdf")


@given(st.lists(st.tuples(st.integers(0, 299), st.integers(0, 9)), min_size=1, max_size=80))
def test_many_periods_at_once_are_each_period_alone(pairs: list[tuple[int, int]]) -> None:
    """The vectorised computation against one bucket at a time."""
    together = Samples()
    for time, value in pairs:
        together.add((time, 1, value, value, value), time)
    for name in ("p50", "tm90", "WM(10%:90%)", "TM(2:7)", "PR(:5)", "tc80", "Average"):
        buckets = statistics.Buckets(together.rows(), 60)
        many = dict(zip(buckets.starts, statistics.parse(name)(buckets), strict=True))
        for start in range(0, 300, 60):
            rows = together.between(start, start + 60)
            if len(rows):
                alone = statistics.parse(name)(statistics.Buckets(rows, 60))[0]
                assert many[start] == pytest.approx(alone, nan_ok=True)
