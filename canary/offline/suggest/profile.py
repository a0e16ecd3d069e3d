"""The values of one metric over a past, as arrays of hosts and periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from canary.model import Series
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

WHOLE = 0.99
"""If this share of the values has a property, it counts as a property of all."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One metric over a past. All arrays are ``[hosts, periods]``, NaN where missing.

    Attributes:
        there: the periods in which the host reported any metric.
    """

    values: Floats
    samples: Floats
    there: Mask

    @property
    def seen(self) -> Mask:
        """Whether there is a value, by host and period."""
        return np.isfinite(self.values)

    @property
    def known(self) -> Floats:
        """All values as a flat array."""
        return self.values[self.seen]

    @property
    def hosts(self) -> int:
        """Hosts with any value."""
        return int(self.seen.any(axis=1).sum())

    @property
    def coverage(self) -> float:
        """Share of the periods in which a host reported anything that have a value."""
        periods = int(self.there.sum())
        return float(self.seen.sum()) / periods if periods else 0.0

    @property
    def sampled(self) -> bool:
        """Whether the number of observations behind the values is known."""
        sampled = np.isfinite(self.samples[self.seen])
        return bool(sampled.size) and float(sampled.mean()) >= WHOLE

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers, as those of a count are."""
        known = self.known
        return bool((known >= 0).all() and (known == np.round(known)).all())

    @property
    def counted(self) -> bool:
        """Whether the values can be numbers of events.

        Shares cannot: they are below 1. Values of Prometheus' increase() can, although they are
        extrapolated and so not whole.
        """
        known = self.known
        some = known[known > 0]
        return self.whole or (bool(some.size) and bool((known >= 0).all() and np.median(some) >= 1))

    @property
    def part_of_samples(self) -> bool:
        """Whether no value exceeds its number of samples, as in a count of requests."""
        both = self.seen & np.isfinite(self.samples)
        return bool((self.values[both] <= self.samples[both]).all())

    @property
    def rising(self) -> bool:
        """Whether the values of every host only rise, as in a running total."""
        steps = np.concatenate([np.diff(row[np.isfinite(row)]) for row in self.values])
        if not steps.size:
            return False
        return bool((steps >= 0).mean() >= 0.999 and (steps > 0).mean() >= 0.5)

    @property
    def above_zero(self) -> float:
        """Share of the values above zero."""
        return float((self.known > 0).mean()) if self.known.size else 0.0

    @property
    def usual(self) -> float:
        """The usual value."""
        return float(np.median(self.known)) if self.known.size else 0.0

    @property
    def rate(self) -> float:
        """Events per request of a count."""
        both = self.seen & np.isfinite(self.samples)
        requests = float(self.samples[both].sum())
        return float(self.values[both].sum()) / requests if requests else 0.0

    @property
    def differences(self) -> Floats:
        """The difference between each two neighbouring hosts in each period."""
        found: Floats = self.values[1:] - self.values[:-1]
        return found[np.isfinite(found)]


def profiles(series: Sequence[Series]) -> dict[str, Profile]:
    """Return the profile of each metric, by its name in the series."""
    hosts = sorted({one.instance for one in series})
    times = sorted({time for one in series for time in one.times})
    row = {host: at for at, host in enumerate(hosts)}
    column = {time: at for at, time in enumerate(times)}
    shape = (len(hosts), len(times))
    values: dict[str, Floats] = {}
    samples: dict[str, Floats] = {}
    for one in series:
        at = [column[time] for time in one.times]
        for arrays, numbers in ((values, one.values), (samples, one.samples)):
            array = arrays.setdefault(one.metric, np.full(shape, np.nan))
            array[row[one.instance], at] = np.array(numbers, dtype=float)
    there = np.zeros(shape, dtype=bool)
    for array in values.values():
        there |= np.isfinite(array)
    return {name: Profile(values[name], samples[name], there) for name in values}
