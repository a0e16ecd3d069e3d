"""The simulated source of metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from canary.model import Arm, Release, Series
from canary.simulation.proxy import PER_COLOUR, Proxy
from canary.simulation.service import MEASURED, SPREAD, Service
from canary.sources.base import Query, Window, periods


class Source:
    """Reads the metrics of each host, given its share of the users at that time."""

    own_clocks = False

    def __init__(self, proxy: Proxy, service: Service) -> None:
        self._proxy = proxy
        self._service = service

    def describe(self) -> str:
        return "simulated source"

    def found_by(self, colour: str) -> str:
        return f"It simulates every host of {colour}"

    def names(self, colour: str) -> tuple[str, ...]:  # noqa: ARG002 - the same for each
        return MEASURED

    def instances(
        self,
        colour: str,
        window: Window | None = None,  # noqa: ARG002 - hosts neither start nor end
    ) -> tuple[str, ...]:
        return tuple(f"{colour}-{number + 1}" for number in range(PER_COLOUR))

    def read(
        self, queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        axis = periods(start, end, self._service.period)
        found = []
        for arm, release in arms.items():
            for host in release.instances:
                measured = [self._measured(host, moment) for moment in axis]
                found += [_series(query, arm, host, axis, measured) for query in queries]
        return tuple(found)

    def _measured(self, host: str, start: int) -> dict[str, float]:
        share = self._proxy.share_at(host, start + self._service.period / 2)
        return self._service.measured(host, start, share)


def _series(
    query: Query,
    arm: Arm,
    host: str,
    axis: tuple[int, ...],
    measured: Sequence[Mapping[str, float]],
) -> Series:
    return Series(
        metric=query.metric,
        arm=arm,
        instance=host,
        times=axis,
        values=tuple(point.get(query.name) for point in measured),
        samples=tuple(point["requests"] for point in measured),
        spread=(SPREAD,) * len(axis) if query.spread else (),
    )
