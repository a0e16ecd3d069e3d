"""The judge without one of its parts, to measure the value of each part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from unittest import mock

import numpy as np

from canary.learned import Kappa
from tests.bench.verdict.ours import Calibration
from tests.bench.verdict.readings import Canaries, Floats, Readings

PARTS = (
    "whole judge",
    "no calibration",
    "no kappa",
    "no inflation",
    "no window",
    "no pairing",
)
NEVER = 10_000
"""A window so long that no run has one."""


@dataclass(frozen=True, slots=True)
class Without:
    """The changed input and calibration for the judge without one part."""

    part: str

    def seen(self, canaries: Canaries) -> Canaries:
        """Return the input. Without pairing, the baseline's periods are in random order."""
        if self.part != "no pairing":
            return canaries
        order = np.random.default_rng(0).permutation(canaries.periods)
        shuffled = {name: _shuffled(one, order) for name, one in canaries.metrics.items()}
        return Canaries(canaries.share, shuffled)

    def known(self, calibration: Calibration) -> Calibration:
        if self.part == "no calibration":
            return {}
        if self.part == "no kappa":
            return {name: replace(one, kappa=_even(one.kappa)) for name, one in calibration.items()}
        return calibration


def _even(kappa: Mapping[str, Kappa]) -> dict[str, Kappa]:
    return {channel: tuple((k, 1.0) for k, _ in nodes) for channel, nodes in kappa.items()}


def _shuffled(readings: Readings, order: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Readings:
    spread = readings.baseline_spread
    return replace(
        readings,
        baseline=readings.baseline[:, order],
        baseline_samples=readings.baseline_samples[:, order],
        baseline_spread=None if spread is None else spread[:, order],
    )


@contextmanager
def without(part: str) -> Iterator[Without]:
    """Run the judge without one part inside this context."""
    with ExitStack() as stack:
        if part == "no window":
            stack.enter_context(mock.patch("canary.judge.channels.WINDOW", NEVER))
        if part == "no inflation":
            for module in ("paired", "window"):
                stack.enter_context(mock.patch(f"canary.stats.{module}.inflation", _one))
        yield Without(part)


def _one(phi: Floats | float, count: Floats | float) -> Floats:
    return np.ones(np.broadcast_shapes(np.shape(phi), np.shape(count)))
