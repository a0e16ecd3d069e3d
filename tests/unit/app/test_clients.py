"""A few clients cannot make a release look broken, and a broken release stays visible."""

from __future__ import annotations

import random

import pytest

from app.metrics.clients import CLIENTS, group_of, set_aside


def test_a_stranger_who_repeats_a_failing_request_is_set_aside() -> None:
    users = [(3, 0)] * 40
    assert set_aside([(12, 12), *users]) == (12, 12)
    assert set_aside([(4, 4), (4, 4), (4, 3), *users]) == (12, 11)


@pytest.mark.parametrize("share", [0.03, 0.1, 0.5, 1.0])
def test_a_release_that_fails_for_everybody_is_not(share: float) -> None:
    """At most one error in a thousand is left out, whatever the requests per user."""
    rng = random.Random(20261128)  # noqa: S311 - repeatable on purpose
    errors = lost = 0
    for _ in range(500):
        users = [rng.choice([1, 2, 5, 10]) for _ in range(40)]
        counted = [(n, sum(rng.random() < share for _ in range(n))) for n in users]
        errors += sum(failed for _, failed in counted)
        lost += set_aside(counted)[1]
    assert lost <= 0.001 * errors


@pytest.mark.parametrize("generators", [1, 2, 3])
def test_the_errors_of_a_few_load_generators_count(generators: int) -> None:
    rng = random.Random(20261128)  # noqa: S311
    errors = lost = 0
    for _ in range(500):
        counted = [
            (n := rng.randint(80, 120), sum(rng.random() < 0.05 for _ in range(n)))
            for _ in range(generators)
        ]
        errors += sum(failed for _, failed in counted)
        lost += set_aside(counted)[1]
    assert lost <= 0.02 * errors


def test_nobody_is_set_aside_without_errors() -> None:
    assert set_aside([]) == (0, 0)
    assert set_aside([(50, 0), (2, 2)]) == (0, 0)


def test_an_address_has_a_group() -> None:
    assert group_of("203.0.113.7") == group_of("203.0.113.7")
    assert len({group_of(f"203.0.113.{n}") for n in range(100)}) > 80
    assert all(0 <= group_of(text) < CLIENTS for text in ("", "not an address", "::1"))
