"""The policy file's schema. A ``Policy`` that exists is valid."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from canary.policy.metric import Metric, Section
from canary.policy.quantities import Drift, Duration, Limit, Margin, MarginField, Share


class Slo(Section):
    """An absolute limit on the candidate. For counts of requests it limits the share.

    ``maximum`` and ``minimum`` are broken if every period over ``sustained`` breaks them,
    ``total`` if there are more events in all, and ``excess``, an error budget, if the candidate
    causes that many more events than at the baseline's rate.
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
    """How many periods may lack a value before the data is not trusted.

    The same share applies to each of the candidate's instances. A critical metric that is reported
    no more for ``consecutive`` periods ends the canary; an instance that serves traffic and reports
    no metrics does after two, or after one if ``consecutive`` is 1.
    """

    share: Share = 0.2
    consecutive: int = Field(default=3, ge=1)


class TrafficRule(Section):
    """How much traffic each arm needs, and how far the split may differ from the intended one."""

    minimum_samples: int = Field(default=100, ge=1)
    split_tolerance: MarginField = Margin(10.0, "points")

    @field_validator("split_tolerance")
    @classmethod
    def _in_points(cls, value: Margin) -> Margin:
        if value.scale != "points":
            raise ValueError(f"{value} is not in points of all traffic; write 10 points")
        return value


class Policy(Section):
    """What is compared, how much harm is accepted, and at which error rates."""

    version: Literal[1]
    period: Duration = Field(default=60, ge=1, le=3600)
    warmup: Duration = Field(default=180, ge=0)
    minimum: Duration = Field(default=600, ge=1)
    maximum: Duration = Field(default=3600, ge=1)
    lead_in: Duration = Field(default=0, ge=0)
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
    def _lead_in_is_long_enough(self) -> Self:
        least = self.warmup + 10 * self.period
        if 0 < self.lead_in < least:
            raise ValueError(
                f"lead_in {self.lead_in}s leaves fewer than 10 periods of {self.period}s after a "
                f"warm-up of {self.warmup}s; write at least {least}s, or 0"
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
                raise ValueError(
                    f"slos name {slo.metric!r}, but the metrics are {', '.join(names)}"
                )
            if slo.excess is not None and slo.metric not in counted:
                known = ", ".join(counted) or "there is none"
                raise ValueError(f"only a count has an excess, not {slo.metric!r}: {known}")
        return self

    @property
    def periods(self) -> int:
        """Periods after the warm-up in the longest run allowed."""
        return (self.maximum - self.warmup) // self.period

    def drift_of(self, metric: Metric) -> Drift:
        """Return the metric's drift. Default: one and a half margins over the longest run."""
        if metric.drift is not None:
            return metric.drift
        limit = metric.limit
        return Drift(1.5 * limit.value * 60 / self.maximum, limit.scale)
