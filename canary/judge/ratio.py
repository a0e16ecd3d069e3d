"""Latencies, gauges and throughput, compared as log ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from canary.judge.acute import acute_series
from canary.judge.channels import Assessment, Channel, conclude, mean_channels, means, pieces
from canary.judge.recent import withheld_series
from canary.judge.rule import EXPANDING, WINDOWED, Rule
from canary.judge.spending import WINDOW
from canary.judge.warmup import Fade, fade_of, settled_mean
from canary.stats.distributions import Floats
from canary.stats.paired import Estimate


@dataclass(frozen=True, slots=True)
class Ratio:
    """Latencies, gauges and throughput: log ratios ``d`` with known variances ``v``.

    ``candidate`` and ``baseline`` are the logs of the arms' values. ``offset`` is the hosts' own
    difference that a lead-in measured; it is subtracted from ``d``. ``typical`` is the comparison
    of the typical latency, if the metric is a tail.
    """

    d: Floats
    v: Floats
    candidate: Floats
    baseline: Floats
    rule: Rule
    offset: Floats | None = None
    typical: Ratio | None = None

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
        rule = self.rule
        whole, recent = self._means(k)
        d, v = rule.sign * self.d[:, :k], self.v[:, :k]
        fade = self.fade(k) if rule.fade else None
        if fade is not None:
            whole = settled_mean(whole, fade, d, v, rule.noise_at(k))
        channels = mean_channels(whole, recent, rule, k, EXPANDING, WINDOWED)
        evidence = conclude(channels, whole, rule, k)
        if fade is not None:
            evidence.wait(fade.falling)
            evidence.parts["warm"] = np.where(fade.warm, 1.0, np.nan)
        if (late := evidence.parts.get("late_effect")) is not None:
            evidence.parts["late_periods"] = np.where(np.isfinite(late), float(WINDOW), np.nan)
        if self.offset is not None:
            evidence.parts["offset"] = rule.sign * self.offset
        evidence.withhold(withheld_series(d, v, rule))
        if rule.acute is not None:
            evidence.alarm(acute_series(d, v, rule.rough, rule.acute))
        return evidence

    def fade(self, k: int) -> Fade:
        """Return how the difference has changed from the start to period ``k``."""
        d, v = self.rule.sign * self.d[:, :k], self.v[:, :k]
        if self.typical is None:
            return fade_of(d, v, self.rule)
        beside = self.typical.rule.sign * self.typical.d[:, :k]
        return fade_of(d, v, self.rule, (beside, self.typical.fade(k).falling))

    def _means(self, k: int) -> tuple[Estimate, Estimate | None]:
        arms = self.candidate[:, :k], self.baseline[:, :k]
        return means(self.d[:, :k], self.v[:, :k], arms, self.rule, k)
