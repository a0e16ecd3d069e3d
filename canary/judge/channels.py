"""The channels that can show harm in one metric, and the assessment at one look.

Each comparison holds arrays ``[runs, periods]``. It computes ``look(k)`` from only the first ``k``
periods, so that a look never depends on later data. A canary is one run; benchmarks and rehearsals
are thousands of runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from canary.judge.rule import Rule
from canary.judge.spending import WINDOW
from canary.stats.distributions import Floats, t_to_z, z_to_t
from canary.stats.paired import Estimate, Mask, clip_arms, paired_mean
from canary.stats.window import window_mean

STEADY_Z = 2.33
"""Harm must still reach this z after its worst burst of neighbouring periods is left out."""
ALMOST = 0.99
SPARE = 6
"""The most periods of the window without harm; an incident with more of them is not lasting."""


@dataclass(slots=True)
class Assessment:
    """The progress of each run to both decision bounds (1 is reached), and the estimate.

    ``effect``, ``low`` and ``high`` are on the scale of the differences, positive is harm.
    """

    towards_fail: Floats
    towards_pass: Floats
    effect: Floats
    low: Floats
    high: Floats
    pairs: Floats
    parts: dict[str, Floats] = field(default_factory=dict)

    def wait(self, falling: Mask) -> None:
        """Withhold FAIL from the runs whose harm is ``falling``, because it may not last."""
        fading = falling & (self.towards_fail >= 1)
        self.towards_fail = np.where(fading, ALMOST, self.towards_fail)
        self.parts["fading"] = np.where(fading, 1.0, np.nan)

    def alarm(self, numbers: Mapping[str, Floats]) -> None:
        """Let the acute channel FAIL the runs for which ``numbers`` has values."""
        self.parts |= numbers
        fired = np.isfinite(numbers["acute_periods"])
        self.towards_fail = np.where(fired, np.maximum(self.towards_fail, 1.0), self.towards_fail)

    def withhold(self, numbers: Mapping[str, Floats]) -> None:
        """Withhold PASS from the runs for which ``numbers`` of the newest periods has values."""
        kept = np.isfinite(numbers["newest_periods"]) & (self.towards_pass >= 1)
        self.parts |= {name: np.where(kept, x, np.nan) for name, x in numbers.items()}
        self.towards_pass = np.where(kept, ALMOST, self.towards_pass)

    @property
    def fails(self) -> Mask:
        """The runs in which harm is shown."""
        return self.towards_fail >= 1

    @property
    def passes(self) -> Mask:
        """The runs in which harm beyond the margin is ruled out."""
        return self.towards_pass >= 1


@dataclass(frozen=True, slots=True)
class Channel:
    """One test for harm: its z, its bound, and whether its gate is open.

    ``size`` is the estimate in units of the smallest one that can FAIL. ``newest`` is the estimate
    itself, if it is one of the newest periods alone.
    """

    name: str
    z: Floats
    bound: float
    gate: Mask
    size: Floats
    newest: Floats | None = None


def pieces(column: Floats, starts: Sequence[int], length: int) -> Floats:
    """Return the pieces of every row that start at ``starts``, each as a row."""
    return np.concatenate([column[:, start : start + length] for start in starts])


def means(
    d: Floats, v: Floats, arms: tuple[Floats, Floats], rule: Rule, k: int
) -> tuple[Estimate, Estimate | None]:
    """Return the mean of all periods, and the mean of the newest ones if there are enough."""
    noise, rough = rule.noise_at(k), rule.rough
    pulled = rule.sign * clip_arms(d, *arms, v, noise.arm_clip)
    recent = None
    if d.shape[1] >= WINDOW + 4:
        plain = rule.sign * clip_arms(d, *arms, v, rough.arm_clip)
        recent = window_mean(plain, v, rough, WINDOW, SPARE)
    return paired_mean(pulled, v, noise), recent


def mean_channels(
    whole: Estimate, recent: Estimate | None, rule: Rule, k: int, expanding: float, windowed: float
) -> tuple[Channel, ...]:
    """Return the channels of the mean: over the whole run, and over its newest part."""
    steady = (whole.mean >= rule.gate) & (whole.least >= STEADY_Z * whole.error)
    z = _harm_z(whole, rule)
    size = rule.size(whole.mean)
    first = Channel("expanding", z, rule.spending.fail_bound(k, expanding), steady, size)
    if recent is None:
        return (first,)
    lasting = (recent.mean >= rule.gate) & (recent.least >= np.maximum(rule.gate, recent.mean / 2))
    z = _harm_z(recent, rule)
    bound = rule.spending.window_bound(windowed)
    return first, Channel("window", z, bound, lasting, rule.size(recent.mean), recent.mean)


def _harm_z(estimate: Estimate, rule: Rule) -> Floats:
    return t_to_z(estimate.mean / np.hypot(estimate.error, rule.weather), estimate.df)


def conclude(channels: Sequence[Channel], whole: Estimate, rule: Rule, k: int) -> Assessment:
    """Compare every channel with its bound, and the mean of the whole run with the margin."""
    kappa = rule.kappa("pass", k)
    bound = rule.spending.pass_bound(k)
    passed = t_to_z((rule.margin - whole.mean) / whole.error, whole.df) / kappa / bound
    passed = np.where(k >= rule.spending.first, passed, np.minimum(passed, ALMOST))
    reach = z_to_t(np.full(len(passed), bound * kappa), whole.df) * whole.error
    progress = _progress(channels, rule, k)
    return Assessment(
        np.max(progress, axis=0),
        np.where(whole.pairs > 0, passed, 0.0),
        whole.mean,
        whole.mean - reach,
        whole.mean + reach,
        whole.pairs,
        {
            "error": whole.error,
            "host": np.full(len(passed), rule.noise_at(k).host),
            "bound": np.full(len(passed), bound * kappa),
            "fail_bound": np.full(len(passed), channels[0].bound * rule.kappa("expanding", k)),
            "phi": whole.phi,
            **_late(channels, progress),
        },
    )


def _progress(channels: Sequence[Channel], rule: Rule, k: int) -> Floats:
    """Return how close each channel is to its bound; below 1 if its gate is closed."""
    far = []
    for channel in channels:
        ratio = channel.z / rule.kappa(channel.name, k) / channel.bound
        shut = np.minimum(ratio, np.minimum(channel.size, ALMOST))
        far.append(np.where(channel.gate, ratio, shut))
    found: Floats = np.array(far)
    return found


def _late(channels: Sequence[Channel], progress: Floats) -> dict[str, Floats]:
    """Return the estimate of the newest periods, where they alone show harm.

    The mean of the whole run may still be small there, and does not explain the FAIL.
    """
    reached = progress >= 1
    for channel, own in zip(channels, reached, strict=True):
        if channel.newest is not None and own.any():
            alone = own & (reached.sum(axis=0) == 1)
            return {"late_effect": np.where(alone, channel.newest, np.nan)} if alone.any() else {}
    return {}
