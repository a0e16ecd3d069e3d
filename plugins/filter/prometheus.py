"""Prometheus rules and queries from the metric catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

SIGNS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}
SCRAPES = 4  # a rate needs two scrapes, and some may be late


def fill(query: str, served: str, window: str) -> str:
    """Return a query of the catalogue with its variables replaced."""
    return query.replace("$served", served).replace("$window", window)


def rules(
    catalogue: Iterable[Mapping[str, Any]], *, served: str, paces: Mapping[str, int], interval: int
) -> dict[str, Any]:
    """Return one alerting rule for each alarm, with its threshold and duration."""
    found = [
        _rule(alarm, served, paces[alarm["pace"]], interval)
        for metric in catalogue
        for alarm in metric.get("alarms", [])
    ]
    return {"groups": [{"name": "alarms", "rules": found}]}


def _rule(alarm: Mapping[str, Any], served: str, period: int, interval: int) -> dict[str, Any]:
    window = f"{max(period, SCRAPES * interval)}s"
    query = fill(alarm["promql"], served, window)
    return {
        "alert": alarm["name"],
        "expr": f"({query}) {SIGNS[alarm['comparison']]} {alarm['threshold']}",
        "for": f"{period * alarm['datapoints']}s",
        "annotations": {
            "summary": alarm["description"],
            "runbook": f"docs/runbooks/{alarm['name']}.md",
        },
    }


def panels(
    wanted: Iterable[Mapping[str, Any]], *, served: str, interval: int
) -> list[dict[str, str]]:
    """Return the panels of the live page, with all variables in their queries replaced."""
    window = f"{SCRAPES * interval}s"
    return [
        {
            "title": panel["title"],
            "unit": panel["unit"],
            "query": fill(panel["promql"], served, window),
        }
        for panel in wanted
    ]


class FilterModule:
    """The filters for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"prometheus_rules": rules, "prometheus_panels": panels}
