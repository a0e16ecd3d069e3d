"""Instances that have ended, but published metrics in a past window.

EC2 forgets a terminated instance within the hour. CloudWatch lists its metrics for two weeks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from canary.environment import CloudWatchSource
from canary.errors import SourceError

MARK = "{instance}"


@dataclass(frozen=True, slots=True)
class Published:
    """A metric that an instance published."""

    instance: str
    name: str


def published(
    metrics: Any, namespace: str, templates: Mapping[str, str], known: Mapping[str, str]
) -> list[Published]:
    """Return the metrics of every instance whose other dimensions are ``known``."""
    filters = [
        {"Name": key} if MARK in template else {"Name": key, "Value": template.format_map(known)}
        for key, template in templates.items()
    ]
    return sorted(
        {
            Published(instance, metric["MetricName"])
            for metric in _listed(metrics, namespace, filters)
            if len(metric["Dimensions"]) == len(templates)
            and (instance := _instance(metric["Dimensions"], templates, known))
        },
        key=lambda one: (one.instance, one.name),
    )


def _listed(
    metrics: Any, namespace: str, filters: list[dict[str, str]]
) -> Iterator[dict[str, Any]]:
    try:
        pages = metrics.get_paginator("list_metrics").paginate(
            Namespace=namespace, Dimensions=filters
        )
        for page in pages:
            yield from page["Metrics"]
    except (BotoCoreError, ClientError) as error:
        raise SourceError(f"CloudWatch did not list the metrics of {namespace}: {error}") from error


def _instance(
    dimensions: list[dict[str, str]], templates: Mapping[str, str], known: Mapping[str, str]
) -> str:
    """Return the instance that a metric's dimensions name, or an empty string."""
    for one in dimensions:
        before, mark, after = templates.get(one["Name"], "").partition(MARK)
        if mark:
            start, end = before.format_map(known), after.format_map(known)
            value = one["Value"]
            if value.startswith(start) and value.endswith(end):
                return value[len(start) : len(value) - len(end)]
    return ""


def found_by(settings: CloudWatchSource, environment: str, colour: str) -> str:
    """Return how the instances of a colour are found, in one sentence."""
    names = ", ".join(settings.dimensions)
    past = f"In a past window, whatever published in this namespace with the dimensions {names}"
    if settings.instances is not None:
        return f"The policy names the instances (environment: source: instances). {past} is one too"
    tags = {**settings.tags, settings.colour_tag: colour, "Environment": environment}
    wanted = ", ".join(f"{key}={value}" for key, value in tags.items())
    return (
        f"An instance is a running EC2 instance with the tags {wanted}. Instances that are not in "
        "EC2 are named in the policy (environment: source: instances: {blue: [NAME], ...}). "
        f"{past} is one too"
    )
