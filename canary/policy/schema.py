"""The policy file's schema. A ``Policy`` that exists is valid."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from canary.policy.quantities import (
    Drift,
    DriftField,
    Duration,
    Limit,
    Margin,
    MarginField,
    Share,
)

Kind = Literal["latency", "quantile", "count", "throughput", "gauge", "level"]
Harm = Literal["increase", "decrease", "either"]

_STATISTIC = re.compile(r"^(mean|sum|maximum|minimum|p[0-9]{1,2}(\.[0-9]+)?)$")
_DEFAULT_STATISTIC = {
    "latency": "mean",
    "quantile": "p90",
    "count": "sum",
    "throughput": "sum",
    "gauge": "mean",
    "level": "mean",
}
_DEFAULT_MARGIN = {
    "latency": "5%",
    "quantile": "5%",
    "count": "x1.5",
    "throughput": "5%",
    "gauge": "10%",
    "level": "10%",
}
PROXY = "proxy."
"""Begins the source's name of what the proxy itself counts: proxy.retries, proxy.errors."""
TAIL_MARGIN = Margin(0.10)
TAIL = 95.0


class Section(BaseModel):
    """A part of the file: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Metric(Section):
    """One comparison between the arms.

    ``margin`` is the harm that is accepted, so PASS means that more harm is ruled out. For counts,
    extra events per request up to ``negligible`` are accepted too, which is how two error rates of
    zero can pass. ``drift`` is the margin of a level's growth. ``per`` names what a count is
    counted against: a metric, or ``time`` for events per instance and period.
    """

    name: str = Field(min_length=1)
    kind: Kind
    statistic: str = ""
    harm: Harm | None = None
    margin: MarginField | None = None
    negligible: Share | None = None
    drift: DriftField | None = None
    critical: bool = True
    muted: bool = False
    group: str = ""
    weight: float = Field(default=1.0, gt=0, le=1000)
    source: str = ""
    per: str = "requests"
    equal_footing: bool | None = None

    @field_validator("statistic")
    @classmethod
    def _known_statistic(cls, value: str) -> str:
        if value and not _STATISTIC.match(value):
            raise ValueError(f"{value!r} is not a statistic; write mean, sum, p50, p90 or p99")
        return value

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "quantile" and not self.quantile:
            raise ValueError(f"{self.statistic!r} is not a quantile; write p50, p90, p95 or p99")
        if self.drift and self.kind != "level":
            raise ValueError(f"only a level drifts, and {self.name!r} is a {self.kind}")
        if self.negligible is not None and self.kind != "count":
            raise ValueError(
                f"only a count has negligible events, and {self.name!r} is a {self.kind}"
            )
        if self.limit.scale == "points" and self.kind != "level":
            raise ValueError(f"only a level has a margin in points; give {self.name!r} one in %")
        if self.limit.scale == "relative" and self.limit.value >= 1 and self.harmful == "decrease":
            raise ValueError(f"nothing can fall by {self.limit}; give {self.name!r} less than 100%")
        return self

    @property
    def statistic_name(self) -> str:
        """The statistic that a source is asked for."""
        return self.statistic or _DEFAULT_STATISTIC[self.kind]

    @property
    def source_name(self) -> str:
        """The metric's name in its source."""
        return self.source or self.name

    @property
    def counter(self) -> str | None:
        """The proxy's counter that holds it, or nothing if the source does."""
        name = self.source_name
        return name.removeprefix(PROXY) if name.startswith(PROXY) else None

    @property
    def quantile(self) -> float | None:
        """0.9 for p90, nothing for a mean."""
        name = self.statistic_name
        return float(name[1:]) / 100 if name.startswith("p") else None

    @property
    def harmful(self) -> Harm:
        """The direction that hurts."""
        return self.harm or ("decrease" if self.kind == "throughput" else "increase")

    @property
    def limit(self) -> Margin:
        """The margin in force."""
        if self.margin is not None:
            return self.margin
        if self.kind == "quantile" and (self.quantile or 0) * 100 >= TAIL:
            return TAIL_MARGIN
        text = _DEFAULT_MARGIN[self.kind]
        return Margin(0.5) if text == "x1.5" else Margin(float(text[:-1]) / 100)

    @property
    def negligible_rate(self) -> float:
        """Extra events per request that nobody minds: 0.1 % where more events are harm."""
        if self.negligible is not None:
            return self.negligible
        return 0.001 if self.kind == "count" and self.harmful == "increase" else 0.0

    @property
    def needs_equal_footing(self) -> bool:
        """Whether the metric depends on load, so that only equally loaded instances compare."""
        if self.equal_footing is not None:
            return self.equal_footing
        return self.kind in ("gauge", "level")


class Slo(Section):
    """An absolute limit on the candidate; for counts of requests it limits the share.

    ``maximum`` and ``minimum`` are broken when every period over ``sustained`` breaks them;
    ``total`` when more events than that happened in all; ``excess``, an error budget, when the
    candidate has cost its users that many more than the baseline's rate explains.
    """

    metric: str
    maximum: Limit | None = None
    minimum: Limit | None = None
    total: float | None = None
    excess: float | None = Field(default=None, gt=0)
    sustained: Duration | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        limits = (self.maximum, self.minimum, self.total, self.excess)
        if sum(limit is not None for limit in limits) != 1:
            names = "maximum, minimum, total, excess"
            raise ValueError(f"the limit on {self.metric!r} needs one of {names}")
        return self


class Missing(Section):
    """How many pairs of periods may be missing before the evidence is not trusted.

    As many periods may be missing of each of the candidate's instances; one that serves customers
    and sends nothing for ``consecutive`` periods ends the canary.
    """

    share: Share = 0.2
    consecutive: int = Field(default=3, ge=1)


class TrafficRule(Section):
    """How much traffic each arm needs, and how far the real split may be from the intended one."""

    minimum_samples: int = Field(default=100, ge=1)
    split_tolerance: MarginField = Margin(10.0, "points")

    @field_validator("split_tolerance")
    @classmethod
    def _in_points(cls, value: Margin) -> Margin:
        if value.scale != "points":
            raise ValueError(f"{value} is not in points of all traffic; write 10 points")
        return value


class Policy(Section):
    """What is compared, how much harm is accepted, and how sure a verdict has to be."""

    version: Literal[1]
    period: Duration = Field(default=60, ge=1, le=3600)
    warmup: Duration = Field(default=180, ge=0)
    minimum: Duration = Field(default=600, ge=1)
    maximum: Duration = Field(default=3600, ge=1)
    steps: tuple[Share, ...] = Field(default=(0.05, 0.2, 0.5), min_length=1)
    alpha: Share = Field(default=0.01, gt=0, le=0.2)
    beta: Share = Field(default=0.05, gt=0, le=0.2)
    missing: Missing = Missing()
    traffic_rule: TrafficRule = TrafficRule()
    metrics: tuple[Metric, ...] = Field(min_length=1)
    slos: tuple[Slo, ...] = ()
    judge: Literal["cart-canary", "kayenta"] = "cart-canary"
    environment: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum}s is longer than maximum {self.maximum}s")
        if self.maximum < self.warmup + 10 * self.period:
            raise ValueError(
                f"maximum {self.maximum}s leaves fewer than 10 periods of {self.period}s after a "
                f"warm-up of {self.warmup}s; write at least {self.warmup + 10 * self.period}s"
            )
        return self

    @model_validator(mode="after")
    def _steps_rise(self) -> Self:
        if list(self.steps) != sorted(set(self.steps)) or self.steps[0] <= 0:
            raise ValueError(f"steps {list(self.steps)} must rise, each above 0 and at most 100%")
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        names = [metric.name for metric in self.metrics]
        counted = [m.name for m in self.metrics if m.kind == "count" and m.per != "time"]
        for name in sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two metrics are named {name!r}; each needs its own name")
        if all(metric.muted for metric in self.metrics):
            raise ValueError("every metric is muted, so nothing could be judged")
        for slo in self.slos:
            if slo.metric not in names:
                raise ValueError(f"slos name {slo.metric!r}, metrics are {', '.join(names)}")
            if slo.excess is not None and slo.metric not in counted:
                known = ", ".join(counted) or "there is none"
                raise ValueError(f"only a count has an excess, not {slo.metric!r}: {known}")
        return self

    @property
    def periods(self) -> int:
        """Periods after the warm-up in the longest run allowed."""
        return (self.maximum - self.warmup) // self.period

    def drift_of(self, metric: Metric) -> Drift:
        """Return the drift in force: unless set, one and a half margins over the longest run."""
        if metric.drift is not None:
            return metric.drift
        limit = metric.limit
        return Drift(1.5 * limit.value * 60 / self.maximum, limit.scale)
