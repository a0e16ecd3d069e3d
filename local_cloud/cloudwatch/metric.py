"""The identity of a metric, and a series of its values.

"Metrics are uniquely defined by a name, a namespace, and zero or more dimensions" (CloudWatch user
guide, Concepts). Dimensions are sorted, so their order does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Metric(NamedTuple):
    """The identity of a metric; ``dimensions`` are sorted (name, value) pairs."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Iterable[Mapping[str, str]]) -> Metric:
        """Create a metric from the API's ``[{"Name": ..., "Value": ...}]``."""
        pairs = sorted((each["Name"], each["Value"]) for each in dimensions)
        return cls(namespace, name, tuple(pairs))

    def as_dimensions(self) -> list[dict[str, str]]:
        return [{"Name": name, "Value": value} for name, value in self.dimensions]


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """Values by the start of their period, in seconds since the epoch, ascending.

    A period without data has no entry: absent, never 0 and never NaN.
    """

    points: dict[int, float] = field(default_factory=dict)
    period: int = 60
    label: str = ""
