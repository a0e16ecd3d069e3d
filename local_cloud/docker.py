"""Docker drops forwarded packets that are not its own. Rules in its chain let hosts pass.

https://docs.docker.com/engine/network/packet-filtering-firewalls/ ("DOCKER-USER").
"""

import json
from typing import Any

from local_cloud.commands import run, succeeds
from local_cloud.settings import Settings

CHAIN = ("ip", "filter", "DOCKER-USER")


def comment(settings: Settings) -> str:
    return f"cart-canary {settings.bridge}"


def admit(settings: Settings) -> None:
    """Accept packets from and to the bridge that Docker would drop."""
    if not succeeds("nft", "list", "chain", *CHAIN) or rules(settings):
        return
    for direction in ("iifname", "oifname"):
        rule = f'{direction} "{settings.bridge}" counter accept comment "{comment(settings)}"'
        run("nft", "insert", "rule", *CHAIN, rule)


def dismiss(settings: Settings) -> None:
    """Remove our rules from Docker's chain."""
    for handle in rules(settings):
        run("nft", "delete", "rule", *CHAIN, "handle", str(handle))


def rules(settings: Settings) -> list[int]:
    """Return the handles of our rules in Docker's chain."""
    if not succeeds("nft", "list", "chain", *CHAIN):
        return []
    listed: list[dict[str, Any]] = json.loads(run("nft", "--json", "list", "chain", *CHAIN))[
        "nftables"
    ]
    found = [entry["rule"] for entry in listed if "rule" in entry]
    return [rule["handle"] for rule in found if rule.get("comment") == comment(settings)]
