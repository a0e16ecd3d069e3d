"""Shrinkage: few windows change a default a little, many replace it.

A measured variance and a default are averaged with weights. The weight of a default is that of
``HOST_WORTH`` pairs of hosts, or of ``NOISE_WORTH`` independent differences. So a rehearsal of any
length can be used, and its weight follows from its amount of data.

Reference:
    [1] C. N. Morris (1983), "Parametric empirical Bayes inference", JASA 78(381), 47-55.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from canary.learned import Kappa
from canary.stats.distributions import Floats
from canary.stats.paired import Noise

WINDOW_WORTH = 16.0
HOST_WORTH = 12.0
NOISE_WORTH = 100.0
ALLOWED = 1.5
"""Kappa of counts grows if a channel's width on equal arms, without the gate, is more than this
many times the default. With the gate, a smaller excess does little."""
RANKS = "ranks"
"""The channel whose z has no far tails even with bursts, so its bulk gives its width."""
STICKY = 1 / 3
"""If this share of the differences is exactly zero, the scatter of a metric is meaningless."""
FEWEST = 12
"""The least number of differences to learn a metric's noise from."""


@dataclass(frozen=True, slots=True)
class Worth:
    """The worth of a rehearsal: its independent windows, and its independent pairs of hosts."""

    windows: float
    hosts: float

    @property
    def trust(self) -> float:
        """The weight of the measured values, from 0 to 1. The default has the rest."""
        return trust_of(self.windows)

    @property
    def host_trust(self) -> float:
        """The weight of the measured difference between hosts."""
        return _share(self.hosts, HOST_WORTH)


def trust_of(windows: float) -> float:
    """Return the weight of ``windows`` independent windows against the defaults.

    >>> [round(trust_of(windows), 2) for windows in (0, 8, 16, 50, 200)]
    [0.0, 0.33, 0.5, 0.76, 0.93]
    """
    return windows / (windows + WINDOW_WORTH)


def shrunk_noise(measured: Noise, cold: Noise, differences: float, hosts: float) -> Noise:
    """Return the weighted mean of a measured noise and a default."""
    phi = measured.phi
    independent = differences * (1 - phi**2) / (1 + phi**2)
    tau = shrunk_size(measured.tau, cold.tau, independent, NOISE_WORTH)
    host = shrunk_size(measured.host, cold.host, hosts, HOST_WORTH)
    return replace(
        measured,
        tau=tau,
        phi=_mixed(phi, cold.phi, _share(independent, NOISE_WORTH)),
        host=host,
    )


def shrunk_size(measured: float, default: float, evidence: float, worth: float) -> float:
    """Return a standard deviation from the weighted mean of a measured variance and a default.

    A smaller measured value gets less weight, because it makes verdicts less cautious.

    >>> round(shrunk_size(1.0, 2.0, 12.0, 12.0), 3)
    1.581
    """
    own = _share(evidence, worth if measured < default else worth / 4)
    return math.sqrt(own * measured**2 + (1 - own) * default**2)


def shrunk_kappa(
    learned: Mapping[str, Kappa],
    cold: Mapping[str, Kappa],
    least: Mapping[str, Kappa],
    trust: float,
) -> dict[str, Kappa]:
    """Return the weighted mean of the learned kappa and the default, at least ``least``."""

    def width(channel: str, length: int, seen: float) -> float:
        default = max(seen, kappa_at(cold.get(channel), length))
        mixed = float(seen**trust * default ** (1 - trust))
        return max(mixed, kappa_at(least.get(channel), length))

    return {
        channel: tuple((length, width(channel, length, seen)) for length, seen in nodes)
        for channel, nodes in learned.items()
    }


def harm_kappa(
    seen: Mapping[str, Kappa], cold: Mapping[str, Kappa], trust: float
) -> dict[str, Kappa]:
    """Return kappa of the channels by which counts FAIL: the default, or more if it is too small.

    ``seen`` holds the widths of the default rule's channels on equal arms, without the gate.
    """

    def width(channel: str, length: int, seen: float) -> float:
        default = kappa_at(cold[channel], length)
        return max(default, float(seen**trust * default ** (1 - trust)) / ALLOWED)

    return {
        channel: tuple(
            (length, width(channel, length, one)) for length, one in seen.get(channel, nodes)
        )
        for channel, nodes in cold.items()
        if channel != RANKS
    }


def sticky(d: Floats) -> bool:
    """Return whether so many differences are exactly zero that the others look like outliers."""
    seen = d[np.isfinite(d)]
    return bool(seen.size) and float((seen == 0).mean()) >= STICKY


def kappa_at(nodes: Kappa | None, length: int) -> float:
    """Return kappa at a length, interpolated on the log of the length; 1 if none is known."""
    if not nodes:
        return 1.0
    at, widths = zip(*nodes, strict=True)
    return float(np.interp(math.log(length), np.log(at), widths))


def _mixed(measured: float, default: float, own: float) -> float:
    return own * measured + (1 - own) * default


def _share(evidence: float, worth: float) -> float:
    return evidence / (evidence + worth)
