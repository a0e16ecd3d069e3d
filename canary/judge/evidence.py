"""Evidence about one metric at one look, for many runs at once.

Each model holds arrays ``[runs, periods]`` and answers ``look(k)`` from the first ``k`` periods
alone, so a look never depends on what came later. One canary is a single run; the bench and the
rehearsal pass thousands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from canary.judge.rule import EXPANDING, WINDOW, WINDOWED, Rule
from canary.stats.distributions import Floats, t_to_z, z_to_t
from canary.stats.paired import Estimate, paired_mean
from canary.stats.window import window_mean

Mask = npt.NDArray[np.bool_]

STEADY_Z = 2.33
"""Harm must still show at this z without its two worst neighbouring periods."""
INCIDENT = 10
LASTING_Z = 3.5
"""Late harm must still show at this z without its worst ``INCIDENT`` neighbouring periods."""


@dataclass(slots=True)
class Evidence:
    """How far each run's evidence has come to each line (1 is there), and the estimate.

    ``effect``, ``low`` and ``high`` are on the scale of the differences, positive is harm.
    """

    towards_fail: Floats
    towards_pass: Floats
    effect: Floats
    low: Floats
    high: Floats
    pairs: Floats
    parts: dict[str, Floats] = field(default_factory=dict)

    @property
    def fails(self) -> Mask:
        """Runs in which harm is shown."""
        return self.towards_fail >= 1

    @property
    def passes(self) -> Mask:
        """Runs in which harm beyond the margin is ruled out."""
        return self.towards_pass >= 1


class Model(Protocol):
    """Data of one metric that can be looked at."""

    def look(self, k: int) -> Evidence:
        """Return the evidence in the first ``k`` periods."""
        ...


@dataclass(frozen=True, slots=True)
class Ratio:
    """Latencies, gauges and throughput: log ratios ``d`` with known variances ``v``."""

    d: Floats
    v: Floats
    rule: Rule

    def look(self, k: int) -> Evidence:
        """Return the evidence in the first ``k`` periods."""
        d, v = self.rule.sign * self.d[:, :k], self.v[:, :k]
        whole = paired_mean(d, v, self.rule.noise)
        recent = recent_mean(d, v, self.rule)
        return weigh(whole, recent, self.rule, k, EXPANDING, WINDOWED)


def weigh(
    whole: Estimate, recent: Estimate | None, rule: Rule, k: int, expanding: float, windowed: float
) -> Evidence:
    """Hold the mean of the whole run and of its recent part against the plan's bounds."""
    plan, kappa = rule.plan, rule.noise.kappa
    gate = gated(whole, rule)
    z = t_to_z(whole.t, whole.df) / kappa
    fail = towards(z, plan.fail_bound(k, expanding), gate)
    if recent is not None:
        z_recent = t_to_z(recent.t, recent.df) / kappa
        steady = (recent.mean >= rule.gate) & (recent.least >= LASTING_Z)
        fail = np.maximum(fail, towards(z_recent, plan.window_bound(windowed), steady))
    ruled_out = t_to_z((rule.margin - whole.mean) / whole.error, whole.df) / kappa
    passed = ruled_out / plan.pass_bound(k)
    if recent is not None:
        calm = (recent.mean - rule.margin) / recent.error < -0.84
        passed = np.where(calm, passed, np.minimum(passed, 0.99))
    reach = kappa * z_to_t(np.full(len(z), plan.pass_bound(k)), whole.df) * whole.error
    return Evidence(
        fail,
        np.where(whole.pairs > 0, passed, 0.0),
        whole.mean,
        whole.mean - reach,
        whole.mean + reach,
        whole.pairs,
    )


def gated(whole: Estimate, rule: Rule) -> Mask:
    """Whether harm is large enough to matter, and does not rest on one burst."""
    return (whole.mean >= rule.gate) & (whole.least >= STEADY_Z * whole.error)


def towards(z: Floats, bound: float, gate: Mask) -> Floats:
    """Return how far ``z`` has come to ``bound``; short of it while the gate is shut."""
    return np.where(gate, z / bound, np.minimum(z / bound, 0.99))


def recent_mean(d: Floats, v: Floats, rule: Rule) -> Estimate | None:
    """Estimate the latest periods, once there are enough before them to know the noise."""
    if d.shape[1] < WINDOW + 4:
        return None
    return window_mean(d, v, rule.noise, WINDOW, INCIDENT)
