"""CloudWatch dashboards from the metric catalogue.

A metric's ``widgets`` name its dashboard and its lines:

    environment  the metric's only series
    total        the sum over all instances
    colour       one line for each colour, over its instances
    share        each colour's share in percent
    each         one line for each series
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Widget = dict[str, Any]
Line = list[Any]

COLOURS = {"blue": "#1f77b4", "green": "#2ca02c"}
WIDTH, HEIGHT, ACROSS = 12, 6, 2


@dataclass(frozen=True)
class Place:
    """Namespace, environment, region, period and dimensions of the series."""

    namespace: str
    environment: str
    region: str
    period: int
    dimensions: Mapping[str, Sequence[str]]


def bodies(catalogue: Iterable[Mapping[str, Any]], **place: Any) -> dict[str, dict[str, Any]]:
    """Return the bodies of the dashboards, by name."""
    where = Place(**place)
    dashboards: dict[str, list[Widget]] = {}
    for metric in catalogue:
        for wish in metric.get("widgets", []):
            widgets = dashboards.setdefault(wish["dashboard"], [])
            widgets.append(_widget(metric, wish, where, len(widgets)))
    return {name: {"widgets": widgets} for name, widgets in dashboards.items()}


def _widget(
    metric: Mapping[str, Any], wish: Mapping[str, Any], where: Place, number: int
) -> Widget:
    period = wish.get("period", where.period)
    statistic = wish.get("statistic", metric["statistic"])
    return {
        "type": "metric",
        "x": WIDTH * (number % ACROSS),
        "y": HEIGHT * (number // ACROSS),
        "width": WIDTH,
        "height": HEIGHT,
        "properties": {
            "title": wish.get("title", metric["title"]),
            "region": where.region,
            "view": "timeSeries",
            "stacked": wish["lines"] == "share",
            "period": period,
            "stat": statistic,
            "metrics": LINES[wish["lines"]](metric, statistic, period, where),
            "yAxis": {"left": {"min": 0, "label": _unit(metric, wish), "showUnits": False}},
        },
    }


def _unit(metric: Mapping[str, Any], wish: Mapping[str, Any]) -> str:
    unit = "Percent" if wish["lines"] == "share" else metric["unit"]
    return "" if unit == "None" else str(unit)


def _environment(
    metric: Mapping[str, Any], _statistic: str, _period: int, where: Place
) -> list[Line]:
    return [
        [
            where.namespace,
            metric["name"],
            "Environment",
            where.environment,
            {"label": metric["title"]},
        ]
    ]


def _total(metric: Mapping[str, Any], statistic: str, period: int, where: Place) -> list[Line]:
    found = _search(metric, statistic, period, where)
    return [[{"expression": f"SUM({found})", "label": metric["title"], "id": "total"}]]


def _colours(metric: Mapping[str, Any], statistic: str, period: int, where: Place) -> list[Line]:
    over = "SUM" if statistic == "Sum" else "AVG"
    return [
        [
            {
                "expression": f"{over}({_search(metric, statistic, period, where, Colour=colour)})",
                "label": colour,
                "id": colour,
                "color": shown,
            }
        ]
        for colour, shown in COLOURS.items()
    ]


def _share(metric: Mapping[str, Any], statistic: str, period: int, where: Place) -> list[Line]:
    parts = _colours(metric, statistic, period, where)
    for [part] in parts:
        part["visible"] = False
        part["expression"] = f"FILL({part['expression']}, 0)"
    whole = " + ".join(COLOURS)
    return parts + [
        [{"expression": f"100 * {c} / ({whole})", "label": c, "id": f"{c}_share", "color": shown}]
        for c, shown in COLOURS.items()
    ]


def _each(metric: Mapping[str, Any], statistic: str, period: int, where: Place) -> list[Line]:
    return [[{"expression": _search(metric, statistic, period, where), "id": "each"}]]


def _search(
    metric: Mapping[str, Any], statistic: str, period: int, where: Place, **more: str
) -> str:
    """Return a search expression for the metric's series with the most dimensions."""
    names = max((where.dimensions[scope] for scope in metric["scopes"]), key=len)
    terms = {"MetricName": metric["name"], "Environment": where.environment, **more}
    words = " ".join(f'{name}="{value}"' for name, value in terms.items())
    return f"SEARCH('{{{','.join([where.namespace, *names])}}} {words}', '{statistic}', {period})"


LINES: dict[str, Callable[[Mapping[str, Any], str, int, Place], list[Line]]] = {
    "environment": _environment,
    "total": _total,
    "colour": _colours,
    "share": _share,
    "each": _each,
}


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"dashboards_bodies": bodies}
