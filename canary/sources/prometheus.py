"""Metrics from Prometheus, through its HTTP API's range query.

Prometheus evaluates a query *at* a moment, looking back. The value of the period that starts
at t is therefore asked for at t + period, with ``[{period}]`` as the range in the query.
"""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from canary.environment import Environment, PrometheusSource
from canary.errors import SourceError
from canary.model import Arm, Release, Series
from canary.sources.base import Query, periods

Points = dict[str, dict[int, float]]


class Prometheus:
    """PromQL per metric and colour; the instance is a label of the answer."""

    def __init__(self, settings: PrometheusSource, environment: Environment, period: int) -> None:
        self._settings = settings
        self._environment = environment
        self._period = period
        # A silent source is waited for at most two periods, so a call has to end within one.
        self._patience = min(settings.timeout, period)

    def describe(self) -> str:
        return f"Prometheus at {_without_password(self._settings.url)}, every {self._period} s"

    def instances(self, colour: str) -> tuple[str, ...]:
        """Return every instance for which a query returns a value now."""
        found: set[str] = set()
        for query in self._settings.queries.values():
            answer = self._get("query", {"query": self._filled(query.value, colour)})
            found.update(_label(result, self._settings.instance_label) for result in answer)
        return tuple(sorted(found))

    def read(
        self, queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        axis = periods(start, end, self._period)
        if not axis:
            return ()
        return tuple(
            series
            for arm, release in arms.items()
            for query in queries
            for series in self._metric(query, arm, release, axis)
        )

    def _metric(
        self, query: Query, arm: Arm, release: Release, axis: tuple[int, ...]
    ) -> list[Series]:
        written = self._settings.queries.get(query.metric)
        if written is None:
            known = ", ".join(sorted(self._settings.queries))
            raise SourceError(
                f"no Prometheus query for metric {query.metric!r}; the policy has: {known}"
            )
        values = self._range(self._filled(written.value, release.colour), axis)
        samples: Points = {}
        if written.samples is not None:
            samples = self._range(self._filled(written.samples, release.colour), axis)
        return [
            Series(
                metric=query.metric,
                arm=arm,
                instance=instance,
                times=axis,
                values=tuple(values.get(instance, {}).get(time) for time in axis),
                samples=tuple(samples.get(instance, {}).get(time) for time in axis),
            )
            for instance in release.instances
        ]

    def _filled(self, query: str, colour: str) -> str:
        known = {
            "{colour}": colour,
            "{environment}": self._environment.name,
            "{period}": f"{self._period}s",
        }
        for name, value in known.items():
            query = query.replace(name, value)
        return query

    def _range(self, query: str, axis: tuple[int, ...]) -> Points:
        step = self._period
        window = {"query": query, "start": axis[0] + step, "end": axis[-1] + step, "step": step}
        found: Points = {}
        for result in self._get("query_range", window):
            instance = _label(result, self._settings.instance_label)
            if instance in found:
                raise SourceError(
                    f"Prometheus returned several series for the instance {instance!r}; add them "
                    f"up in the query, as in: sum by ({self._settings.instance_label}) ({query})"
                )
            points = found.setdefault(instance, {})
            for moment, text in result["values"]:
                if math.isfinite(float(text)):
                    points[int(moment) - step] = float(text)
        return found

    def _get(self, what: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        address = f"{self._settings.url.rstrip('/')}/api/v1/{what}"
        shown = _without_password(address)
        body = urllib.parse.urlencode(arguments).encode()
        request = urllib.request.Request(address, data=body)  # noqa: S310 - http(s), by schema
        try:
            with urllib.request.urlopen(  # noqa: S310 - http(s), by schema
                request, timeout=self._patience
            ) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            detail = error.read(500).decode(errors="replace")
            raise SourceError(f"Prometheus refused {arguments['query']!r}: {detail}") from error
        except (OSError, ValueError, RecursionError) as error:
            raise SourceError(f"Prometheus at {shown} did not answer: {error}") from error
        return _series_of(answer, arguments["query"], shown)


def _without_password(address: str) -> str:
    """Return the address without the user name and the password in it."""
    parts = urllib.parse.urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _series_of(answer: Any, query: str, address: str) -> list[dict[str, Any]]:
    """Return the series of an answer; only a complete answer of the expected shape is used."""
    if not isinstance(answer, dict):
        raise SourceError(f"{address} did not answer as Prometheus does: {str(answer)[:80]}")
    if answer.get("status") != "success":
        raise SourceError(f"Prometheus refused {query!r}: {answer.get('error')}")
    if answer.get("warnings"):
        raise SourceError(
            f"Prometheus answered {query!r} with warnings, so the data may be incomplete: "
            f"{'; '.join(map(str, answer['warnings']))[:300]}"
        )
    data = answer.get("data") or {}
    kind = data.get("resultType")
    if kind not in ("vector", "matrix"):
        raise SourceError(
            f"Prometheus answered {query!r} with {kind or 'no result'}, not with a series for "
            "each instance; a query selects a metric, as in: sum by (instance) (rate(x[{period}]))"
        )
    result: list[dict[str, Any]] = data["result"]
    return result


def _label(result: dict[str, Any], name: str) -> str:
    labels = result["metric"]
    if name not in labels:
        raise SourceError(
            f"Prometheus answered a series without the label {name!r} (it has "
            f"{sorted(labels)}); group by ({name}) in the query, or set instance_label"
        )
    return str(labels[name])
