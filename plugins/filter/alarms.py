"""CloudWatch alarms from the metric catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

PLAIN_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


def expand(
    catalogue: Iterable[Mapping[str, Any]],
    *,
    prefix: str,
    environment: str,
    urls: Iterable[str],
    paces: Mapping[str, int],
    certificates: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """Return one entry for each alarm: one per service, or one per probed URL."""
    probed = {"url": list(urls), "certificate": list(certificates)}
    return [
        _alarm(metric, alarm, suffix, dimensions, prefix, paces)
        for metric in catalogue
        for alarm in metric.get("alarms", [])
        for suffix, dimensions in _subjects(alarm["scope"], environment, probed)
    ]


def _subjects(
    scope: str, environment: str, probed: Mapping[str, Iterable[str]]
) -> Iterator[tuple[str, dict[str, str]]]:
    whole = {"Environment": environment}
    if scope == "environment":
        yield "", whole
    elif scope in probed:
        yield from ((f"-{url}", {**whole, "Url": url}) for url in probed[scope])
    else:
        raise ValueError(
            f"scope is {scope!r}; an alarm watches an environment, a url or a certificate"
        )


def _alarm(
    metric: Mapping[str, Any],
    alarm: Mapping[str, Any],
    suffix: str,
    dimensions: Mapping[str, str],
    prefix: str,
    paces: Mapping[str, int],
) -> dict[str, Any]:
    kind = "statistic" if alarm["statistic"] in PLAIN_STATISTICS else "extended_statistic"
    return {
        "name": f"{prefix}-{alarm['name']}{suffix}",
        "description": f"{alarm['description']}. Runbook: docs/runbooks/{alarm['name']}.md",
        "metric": metric["name"],
        kind: alarm["statistic"],
        "dimensions": dict(dimensions),
        "comparison": alarm["comparison"],
        "threshold": float(alarm["threshold"]),
        "period": paces[alarm["pace"]],
        "evaluation_periods": alarm["periods"],
        "datapoints_to_alarm": alarm["datapoints"],
        "treat_missing_data": alarm["missing"],
    }


def differing(
    wanted: Iterable[Mapping[str, Any]],
    there: Iterable[Mapping[str, Any]],
    *,
    namespace: str,
    topic: str,
) -> list[Mapping[str, Any]]:
    """Return the alarms of ``wanted`` that are missing or have other properties.

    ``there`` is the result of amazon.aws.cloudwatch_metric_alarm_info.
    """
    known = {str(alarm.get("alarm_name")): alarm for alarm in there}
    shared = {"namespace": namespace, "alarm_actions": [topic], "ok_actions": [topic]}
    return [
        alarm
        for alarm in wanted
        if not _holds(_described(alarm) | shared, known.get(alarm["name"], {}))
    ]


def _described(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alarm with the keys of amazon.aws.cloudwatch_metric_alarm_info."""
    renamed = {
        "name": "alarm_name",
        "description": "alarm_description",
        "metric": "metric_name",
        "comparison": "comparison_operator",
    }
    found = {renamed.get(key, key): value for key, value in alarm.items()}
    pairs = sorted(alarm["dimensions"].items())
    return found | {"dimensions": [{"name": name, "value": value} for name, value in pairs]}


def _holds(described: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
    ordered = sorted(seen.get("dimensions") or [], key=lambda pair: str(pair.get("name")))
    told = {**seen, "dimensions": ordered}
    return all(told.get(key) == value for key, value in described.items())


class FilterModule:
    """The filters for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"alarms_expand": expand, "alarms_differing": differing}
