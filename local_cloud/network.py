"""The network: one bridge, two nft tables, one network namespace per host.

All operations are idempotent. The alias of the bridge is the path of the state directory, so two
clouds never share a bridge by accident.
"""

import json
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from local_cloud import docker, kernel
from local_cloud.commands import run, succeeds
from local_cloud.errors import NetworkError
from local_cloud.settings import Settings

TABLE_PREFIX = "cart_canary_"
METADATA_ADDRESS = "169.254.169.254"
NAMESPACES = Path("/run/netns")

# Hosts reach the outside with the address of the controller. 169.254.169.254 leads to our
# metadata service; a controller that is itself a cloud instance still reaches its own. The AWS API
# asks for no credentials, so only hosts and the controller reach it and the other services here.
RULES = """\
table ip {table} {{
  chain prerouting {{
    type nat hook prerouting priority dstnat;
    iifname "{bridge}" ip daddr {metadata} tcp dport 80 dnat to {gateway}:{metadata_port}
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    ip saddr {network} ip daddr != {network} masquerade
  }}
  chain input {{
    type filter hook input priority filter;
    iifname != {{ "lo", "{bridge}" }} ip daddr {gateway} drop
  }}
}}
"""


def table(settings: Settings) -> str:
    return TABLE_PREFIX + settings.bridge


def groups_table(settings: Settings) -> str:
    """Return the name of the table that enforces security groups, see ``groups``."""
    return f"{table(settings)}_groups"


def namespace(settings: Settings, name: str) -> str:
    return f"{settings.bridge}-{name}"


def link(settings: Settings, address: IPv4Address) -> str:
    """Return the name of the veth interface of a host on the controller: bridge and number."""
    number = int(address) - int(settings.network.network_address)
    return f"{settings.bridge}-{number:x}"


def rules(settings: Settings) -> str:
    """Return the nft table for outbound traffic and instance metadata."""
    return RULES.format(
        table=table(settings),
        bridge=settings.bridge,
        network=settings.network,
        gateway=settings.gateway,
        metadata=METADATA_ADDRESS,
        metadata_port=settings.metadata_port,
    )


def interface(name: str) -> dict[str, Any] | None:
    """Return the kernel's description of interface ``name``, or None."""
    found = json.loads(run("ip", "-json", "-details", "address", "show"))
    return next((entry for entry in found if entry.get("ifname") == name), None)


def owner(settings: Settings) -> str | None:
    """Return the state directory of the bridge, or None if there is no bridge."""
    found = interface(settings.bridge)
    return None if found is None else str(found.get("ifalias", ""))


def raise_network(settings: Settings) -> None:
    """Create the bridge and the rules, and tune the kernel."""
    current = owner(settings)
    if current is None:
        make_bridge(settings)
    elif current != str(settings.state):
        use = f"To use that cloud: export LOCAL_CLOUD_STATE={current}. " if current else ""
        raise NetworkError(
            f"The bridge {settings.bridge} belongs to {current or 'something else'}, not to "
            f"{settings.state}. {use}For another cloud, choose another bridge and network "
            "(LOCAL_CLOUD_BRIDGE, LOCAL_CLOUD_NETWORK, LOCAL_CLOUD_PORT)."
        )
    run("ip", "link", "set", settings.bridge, "up")
    if not succeeds("nft", "list", "table", "ip", table(settings)):
        run("nft", "-f", "-", stdin=rules(settings))
    docker.admit(settings)
    kernel.tune()


def make_bridge(settings: Settings) -> None:
    bridge = settings.bridge
    address = f"{settings.gateway}/{settings.network.prefixlen}"
    run("ip", "link", "add", bridge, "type", "bridge")
    run("ip", "link", "set", bridge, "alias", str(settings.state))
    run("ip", "address", "add", address, "dev", bridge)


def refuse_foreign_route(settings: Settings) -> None:
    """Raise NetworkError if the machine already has a route for any of our addresses."""
    for route in json.loads(run("ip", "-json", "-4", "route", "show", "table", "all")):
        target, device = str(route.get("dst", "")), str(route.get("dev", ""))
        if device == settings.bridge or not overlaps(target, settings):
            continue
        raise NetworkError(
            f"This machine already has a route to {target} on {device}, which overlaps "
            f"{settings.network}. Choose another network: LOCAL_CLOUD_NETWORK=10.78.0.0/16"
        )


def overlaps(target: str, settings: Settings) -> bool:
    """Return whether the route ``target`` overlaps the network of the cloud."""
    if target in ("", "default"):
        return False
    network = IPv4Network(target, strict=False)
    return network.prefixlen > 4 and network.overlaps(settings.network)


def attach(settings: Settings, name: str, address: IPv4Address) -> None:
    """Create a network namespace for host ``name`` with one interface on the bridge."""
    inside, outside = namespace(settings, name), link(settings, address)
    if interface(outside) is not None and (NAMESPACES / inside).exists():
        return
    detach(settings, name, address)
    prefix = f"{address}/{settings.network.prefixlen}"
    steps = [
        f"link add {outside} type veth peer name eth0 netns {inside}",
        f"link set {outside} master {settings.bridge} up",
    ]
    within = [
        "link set lo up",
        f"address add {prefix} broadcast + dev eth0",
        "link set eth0 up",
        f"route add default via {settings.gateway}",
    ]
    run("ip", "netns", "add", inside)
    run("ip", "-batch", "-", stdin="\n".join(steps))
    run("ip", "-netns", inside, "-batch", "-", stdin="\n".join(within))


def detach(settings: Settings, name: str, address: IPv4Address) -> None:
    """Remove what ``attach`` created."""
    inside, outside = namespace(settings, name), link(settings, address)
    if interface(outside) is not None:
        run("ip", "link", "delete", outside)
    if (NAMESPACES / inside).exists():
        run("ip", "netns", "delete", inside)


def strays(settings: Settings) -> list[str]:
    """Return the network namespaces of this cloud. Removing one removes its veth pair."""
    return [path.name for path in NAMESPACES.glob(f"{settings.bridge}-*")]


def remove_network(settings: Settings) -> None:
    """Remove everything from the network of the machine."""
    for entry in strays(settings):
        run("ip", "netns", "delete", entry)
    docker.dismiss(settings)
    for name in (table(settings), groups_table(settings)):
        if succeeds("nft", "list", "table", "ip", name):
            run("nft", "delete", "table", "ip", name)
    if owner(settings) == str(settings.state):
        run("ip", "link", "delete", settings.bridge)
    if TABLE_PREFIX not in run("nft", "list", "tables"):
        kernel.restore()
