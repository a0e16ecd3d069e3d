"""The network between two parts: cut with nftables, slowed with tc, on the controller.

A cut drops every packet between two addresses, in both directions. A slow link delays each packet
(netem). If the kernel has no netem, it limits the rate, so packets queue up.
"""

from __future__ import annotations

import subprocess
from ipaddress import IPv4Address

from local_cloud import network
from local_cloud.settings import Settings
from tests.chaos.hosts import machine

TABLE = "cart_canary_chaos"
QUEUE = ("pfifo", "limit", "100")
DELAY = ("netem", "delay", "150ms", "limit", "10000")
NARROW = "256kbit"


def ip(name: str) -> str:
    """Return a host's address; "controller" is this machine on the hosts' network."""
    return str(Settings.load().gateway) if name == "controller" else machine(name).host.ip


def cut(first: str, second: str, port: int | None = None) -> None:
    """Drop all packets between two parts, or only those of one port of the second.

    Earlier cuts stay.
    """
    one, two = ip(first), ip(second)
    there, back = (f"tcp {side} {port}" if port else "" for side in ("dport", "sport"))
    rules = "\n".join(
        f"    {pair} drop"
        for pair in (
            f"ip saddr {one} ip daddr {two} {there}",
            f"ip saddr {two} ip daddr {one} {back}",
        )
    )
    chains = "".join(
        f"  chain {hook} {{\n    type filter hook {hook} priority -400;\n{rules}\n  }}\n"
        for hook in ("input", "output", "forward")
    )
    _nft(f"table bridge {TABLE} {{\n{chains}}}")


def heal() -> None:
    """Remove all cuts, if there are any."""
    _nft(f"table bridge {TABLE}\ndelete table bridge {TABLE}")


def slow(first: str, second: str) -> None:
    """Delay the packets between two hosts."""
    for source, target in ((first, second), (second, first)):
        device = cable(target)
        _tc("qdisc", "replace", "dev", device, "root", "handle", "1:", "htb", "default", "1")
        _tc(*_class(device, "1:1", "10gbit"))
        narrow = "10gbit" if has_netem() else NARROW
        _tc(*_class(device, "1:2", narrow))
        how = DELAY if has_netem() else QUEUE
        _tc("qdisc", "add", "dev", device, "parent", "1:2", *how)
        match = ("u32", "match", "ip", "src", f"{ip(source)}/32", "flowid", "1:2")
        _tc("filter", "add", "dev", device, "parent", "1:", "protocol", "ip", *match)


def quicken(*names: str) -> None:
    """Remove the delay from the links of these hosts."""
    for name in names:
        _tc("qdisc", "del", "dev", cable(name), "root", check=False)


def cable(name: str) -> str:
    """Return the veth interface of a host on the controller."""
    return network.link(Settings.load(), IPv4Address(ip(name)))


def has_netem() -> bool:
    """Return whether this kernel can delay packets. The trial disturbs no traffic."""
    command = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def how_slow() -> str:
    return "150 ms further away" if has_netem() else f"reached at {NARROW}/s"


def _class(device: str, name: str, rate: str) -> tuple[str, ...]:
    return ("class", "add", "dev", device, "parent", "1:", "classid", name, "htb", "rate", rate)


def _tc(*words: str, check: bool = True) -> None:
    subprocess.run(["tc", *words], check=check, capture_output=True)


def _nft(text: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=text, check=True, text=True, capture_output=True)
