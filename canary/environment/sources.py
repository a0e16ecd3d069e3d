"""The schema of ``environment.source``: where the metrics come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from canary.environment.fields import DimensionValue, Seconds, Section, Text, kind_of_word


class CloudWatchSource(Section):
    """One series per instance, found by its dimensions; instances are found by their EC2 tags."""

    kind: Literal["cloudwatch"]
    namespace: Text
    dimensions: dict[str, DimensionValue] = Field(
        default={
            "Environment": "{environment}",
            "Colour": "{colour}",
            "Instance": "{instance}",
        }
    )
    tags: dict[str, str] = Field(
        default={"role": "app"}, description="Tags that every judged instance carries."
    )
    colour_tag: Text = "colour"
    instances: dict[str, tuple[Text, ...]] | None = Field(
        default=None,
        description="Instances of each colour that are not in EC2; default: by their EC2 tags.",
    )
    settle: Annotated[float, Field(ge=0, le=3600)] | None = Field(
        default=None,
        description="Seconds from the end of a period until it is read; default one period.",
    )

    @field_validator("instances")
    @classmethod
    def _each_once(
        cls, named: dict[str, tuple[str, ...]] | None
    ) -> dict[str, tuple[str, ...]] | None:
        names = [name for group in (named or {}).values() for name in group]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is named twice; each instance has one colour")
        return named


class PrometheusQuery(Section):
    """The query for the value, and optionally a query for the number of samples."""

    value: Text
    samples: Text | None = None

    @field_validator("value", "samples")
    @classmethod
    def _usable(cls, query: str | None) -> str | None:
        # PromQL is full of braces: only {colour}, {environment} and {period} are replaced.
        if query is not None and "{period}" not in query:
            raise ValueError(f"{query!r} must count over one period: write [{{period}}]")
        return query


class Sigv4(Section):
    """AWS Signature Version 4, for Amazon Managed Service for Prometheus."""

    region: Text
    service: Text = "aps"
    profile: Text | None = None


class PrometheusSource(Section):
    """PromQL per metric; every series must carry a label that names the instance."""

    kind: Literal["prometheus"]
    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
    instance_label: Text = "instance"
    queries: dict[str, PrometheusQuery] = Field(min_length=1)
    timeout: Seconds = Field(default=10.0, description="For one response; at most one period.")
    sigv4: Sigv4 | None = None
    settle: Annotated[float, Field(ge=0, le=3600)] | None = None


class CsvSource(Section):
    """A file with the columns time, arm, instance, metric, value, samples."""

    kind: Literal["csv"]
    path: Text
    settle: Literal[0] = 0


class ProxySource(Section):
    """Nothing but the proxy's own counters: each metric has a source such as ``proxy.errors``."""

    kind: Literal["proxy"] = "proxy"
    settle: Literal[0] = 0


Source = Annotated[
    CloudWatchSource | PrometheusSource | CsvSource | ProxySource, Field(discriminator="kind")
]
SourceField = Annotated[
    Source, BeforeValidator(kind_of_word, json_schema_input_type=Literal["proxy"] | Source)
]
