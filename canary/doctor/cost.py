"""What an environment costs a month, by item, at the prices of ``prices.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from canary.doctor.needs import Needs
from canary.errors import PolicyError

HOURS = 730
SECONDS = HOURS * 3600
LEFT_OUT = (
    "Not included: data transfer (also through the NAT gateway), snapshots, requests to S3, "
    "DynamoDB and other services (cents at this size), what canaries read from CloudWatch, "
    "taxes, free tiers"
)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the bill. ``dollars`` is None if the price is unknown."""

    what: str
    dollars: float | None


@cache
def _prices() -> dict[str, Any]:
    document = json.loads(files("canary.doctor").joinpath("prices.json").read_text("utf-8"))
    return dict(document)


def dated() -> str:
    """Return where the prices come from, and when they were read."""
    return f"{_prices()['source']} ({_prices()['date']})"


def prices_in(region: str) -> Mapping[str, float]:
    """Return the prices of a region.

    Raises:
        PolicyError: they are not known.
    """
    known = _prices()["regions"]
    if region not in known:
        raise PolicyError(
            f"No prices are known for region {region}, only for {', '.join(known)}. Add it to "
            "canary/doctor/prices.json"
        )
    found: Mapping[str, float] = known[region]
    return found


def bill(needs: Needs) -> list[Item]:
    """Return what a month costs, by item."""
    return list(_items(needs, prices_in(needs.region)))


def _items(needs: Needs, price: Mapping[str, float]) -> Iterator[Item]:
    size = needs.size
    for kind, count in sorted(needs.instances.items()):
        hourly = price.get(kind)
        yield Item(f"{count} x {kind}", None if hourly is None else count * hourly * HOURS)
    yield Item(f"{size.volume_gb} GB of volumes (gp3)", size.volume_gb * price["volume"])
    yield Item(_many(size.nat_gateways, "NAT gateway"), size.nat_gateways * price["nat"] * HOURS)
    addresses = size.addresses * price["address"] * HOURS
    yield Item(_many(size.addresses, "public IPv4 address", "es"), addresses)
    yield Item(_many(size.metrics, "CloudWatch metric"), size.metrics * price["metric"])
    puts = size.publishers * SECONDS / size.period / 1000
    yield Item(f"publishing them every {size.period} s", puts * price["puts"])
    yield Item(_many(size.alarms, "alarm"), size.alarms * price["alarm"])
    yield Item(_many(size.dashboards, "dashboard"), size.dashboards * price["dashboard"])


def _many(count: int, noun: str, ending: str = "s") -> str:
    return f"{count} {noun}{'' if count == 1 else ending}"


def total(items: list[Item]) -> float:
    """Return the sum of the known prices."""
    return sum(item.dollars for item in items if item.dollars is not None)


def lines(items: list[Item]) -> list[str]:
    """Return the bill as text."""
    width = max(len(item.what) for item in items)
    shown = [
        (item.what, "unknown" if item.dollars is None else f"{item.dollars:.2f}") for item in items
    ]
    rows = [f"{what:{width}}  {dollars:>8}" for what, dollars in shown]
    return [*rows, f"{'a month, in US dollars':{width}}  {total(items):>8.2f}"]
