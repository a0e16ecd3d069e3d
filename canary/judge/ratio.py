"""Latencies, gauges and throughput, compared as log ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from canary.judge.channels import Assessment, Channel, conclude, mean_channels, means, pieces
from canary.judge.rule import EXPANDING, WINDOWED, Rule
from canary.stats.distributions import Floats
from canary.stats.paired import Estimate


@dataclass(frozen=True, slots=True)
class Ratio:
    """Latencies, gauges and throughput: log ratios ``d`` with known variances ``v``.

    ``candidate`` and ``baseline`` are the logs of the arms' values.
    """

    d: Floats
    v: Floats
    candidate: Floats
    baseline: Floats
    rule: Rule

    @property
    def periods(self) -> int:
        """The number of periods."""
        return int(self.d.shape[1])

    def cut(self, starts: Sequence[int], length: int) -> Ratio:
        """Return the pieces of ``length`` periods that start at ``starts``, as runs."""
        columns = (self.d, self.v, self.candidate, self.baseline)
        d, v, candidate, baseline = (pieces(column, starts, length) for column in columns)
        return Ratio(d, v, candidate, baseline, self.rule)

    def channels(self, k: int) -> tuple[Channel, ...]:
        """Return all channels after ``k`` periods."""
        return mean_channels(*self._means(k), self.rule, k, EXPANDING, WINDOWED)

    def look(self, k: int) -> Assessment:
        """Return the assessment after ``k`` periods."""
        whole, recent = self._means(k)
        channels = mean_channels(whole, recent, self.rule, k, EXPANDING, WINDOWED)
        return conclude(channels, whole, recent, self.rule, k)

    def _means(self, k: int) -> tuple[Estimate, Estimate | None]:
        arms = self.candidate[:, :k], self.baseline[:, :k]
        return means(self.d[:, :k], self.v[:, :k], arms, self.rule, k)
