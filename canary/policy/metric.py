"""The schema of a metric: what is compared, and how much harm is accepted."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from canary.policy.amounts import Unit, negligible_by_default, parse_amount
from canary.policy.proxy import LATENCY, PROXY, misread
from canary.policy.quantities import DriftField, Margin, MarginField, parse_share

Kind = Literal["latency", "quantile", "count", "throughput", "gauge", "level"]
Harm = Literal["increase", "decrease", "either"]

_STATISTIC = re.compile(r"^(mean|sum|maximum|minimum|p[0-9]{1,2}(\.[0-9]+)?)$")
_FAILURES = re.compile(r"error|fail|5xx", re.IGNORECASE)
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
TAIL_MARGIN = Margin(0.10)
TAIL = 95.0


class Section(BaseModel):
    """A section of the file. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Metric(Section):
    """One comparison between the arms.

    ``margin`` is the accepted harm: PASS means that more harm is ruled out. Harm up to
    ``negligible`` is accepted too, whatever the margin: 5 ms more than 5 ms is 100 %, and nobody
    notices; and two error rates of zero can pass. ``unit`` gives it a default. ``drift`` is the
    margin of a level's growth. ``per`` names what a count is counted per: a metric, or ``time`` for
    events per instance and period. ``absent: zero`` is for counts that are reported only where
    there are some: no value of an instance that reports other metrics is 0.
    """

    name: str = Field(min_length=1)
    kind: Kind
    statistic: str = ""
    harm: Harm | None = None
    margin: MarginField | None = None
    negligible: float | str | None = Field(
        default=None,
        description="Accepted whatever the margin: for a count of requests a share of them, such "
        "as 0.1%; otherwise an amount in the metric's unit, such as 6ms, 16MB or 2 points.",
    )
    unit: Unit | None = Field(default=None, description="Unit of the values in the source.")
    drift: DriftField | None = None
    critical: bool = True
    muted: bool = False
    group: str = ""
    weight: float = Field(default=1.0, gt=0, le=1000)
    source: str = ""
    per: str = "requests"
    absent: Literal["missing", "zero"] = "missing"
    equal_footing: bool | None = None

    @field_validator("statistic")
    @classmethod
    def _known_statistic(cls, value: str) -> str:
        if value and not _STATISTIC.match(value):
            raise ValueError(f"{value!r} is not a statistic; write mean, sum, p50, p90 or p99")
        return value

    @model_validator(mode="before")
    @classmethod
    def _in_milliseconds(cls, data: Any) -> Any:
        """The proxy's latency has one unit, so that nobody needs to write it."""
        if isinstance(data, dict) and data.get("source") == PROXY + LATENCY:
            return {"unit": "ms", **data}
        return data

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "quantile" and not self.quantile:
            raise ValueError(f"{self.statistic!r} is not a quantile; write p50, p90, p95 or p99")
        if self.counter is not None and (
            reason := misread(self.counter, self.kind, self.statistic_name, self.unit)
        ):
            raise ValueError(reason)
        if self.drift and self.kind != "level":
            raise ValueError(f"drift is for levels, and {self.name!r} is a {self.kind}")
        _ = self.negligible_rate, self.negligible_amount  # raises if they are invalid
        if self.absent == "zero" and (self.kind != "count" or self.counter is not None):
            raise ValueError(
                f"absent: zero is for counts of the source, which {self.name!r} is not"
            )
        if self.limit.scale == "points" and self.kind != "level":
            raise ValueError(f"only a level has a margin in points; give {self.name!r} one in %")
        if self.limit.scale == "relative" and self.limit.value >= 1 and self.harmful == "decrease":
            raise ValueError(
                f"a margin of {self.limit} would allow any fall; give {self.name!r} less than 100%"
            )
        return self

    @property
    def statistic_name(self) -> str:
        """The statistic that is read from the source."""
        return self.statistic or _DEFAULT_STATISTIC[self.kind]

    @property
    def source_name(self) -> str:
        """The metric's name in its source."""
        return self.source or self.name

    @property
    def counter(self) -> str | None:
        """What the proxy measures, or None if the metric comes from the source."""
        name = self.source_name
        return name.removeprefix(PROXY) if name.startswith(PROXY) else None

    @property
    def is_failure(self) -> bool:
        """Whether the name says that it counts failures."""
        return bool(_FAILURES.search(self.name))

    @property
    def quantile(self) -> float | None:
        """0.9 for p90, None for a mean."""
        name = self.statistic_name
        return float(name[1:]) / 100 if name.startswith("p") else None

    @property
    def harmful(self) -> Harm:
        """The direction of harm."""
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
        """Accepted extra events per request. Default: 0.1 % where more events are harm."""
        if self.negligible is not None and self.kind == "count":
            return parse_share(self.negligible)
        return 0.001 if self.kind == "count" and self.harmful == "increase" else 0.0

    @property
    def negligible_amount(self) -> float:
        """Accepted difference in the metric's unit, if it is no count. Default: by the unit."""
        if self.kind == "count":
            return 0.0
        if self.negligible is not None:
            return parse_amount(self.negligible, self.unit or "")
        return negligible_by_default(self.unit or "")

    @property
    def needs_equal_footing(self) -> bool:
        """Whether only instances that carry the same load may be compared."""
        if self.equal_footing is not None:
            return self.equal_footing
        return self.kind in ("gauge", "level")
