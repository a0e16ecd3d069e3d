"""The Grafana dashboard of the metric catalogue's panels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

COLOURS = {"blue": "#1f77b4", "green": "#2ca02c"}
UNITS = {"ms": "ms", "%": "percent", "MB": "decmbytes", "": "short"}
WIDTH, HEIGHT, ACROSS = 8, 8, 3
WINDOW = "$__rate_interval"


def dashboard(panels: Iterable[Mapping[str, Any]], *, served: str) -> dict[str, Any]:
    """Return the dashboard's JSON model for Grafana's file provisioning."""
    return {
        "uid": "shop",
        "title": "Shop",
        "editable": False,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "schemaVersion": 39,
        "panels": [_panel(panel, number, served) for number, panel in enumerate(panels)],
    }


def _panel(panel: Mapping[str, Any], number: int, served: str) -> dict[str, Any]:
    query = panel["promql"].replace("$served", served).replace("$window", WINDOW)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel["title"],
        "datasource": {"type": "prometheus", "uid": "prometheus"},
        "gridPos": {
            "x": WIDTH * (number % ACROSS),
            "y": HEIGHT * (number // ACROSS),
            "w": WIDTH,
            "h": HEIGHT,
        },
        # With a minimum step of one scrape, $__rate_interval is at least four scrapes.
        "interval": "5s",
        "targets": [{"refId": "A", "expr": query, "legendFormat": "{" + "{colour}}"}],
        "fieldConfig": {
            "defaults": {"unit": UNITS[panel["unit"]], "min": 0},
            "overrides": [_colour(name, shown) for name, shown in COLOURS.items()],
        },
    }


def _colour(name: str, shown: str) -> dict[str, Any]:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": shown}}],
    }


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"grafana_dashboard": dashboard}
