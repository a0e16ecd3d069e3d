"""Security groups: one nft table, rewritten when groups or hosts change.

All hosts are on one bridge. Packets between them pass the kernel's IP firewall only if br_netfilter
is loaded and enabled for the bridge. The table accepts replies of known connections and drops the
rest silently, as AWS does. It filters packets from other networks too. Packets of the controller
are not forwarded, so it reaches every host. Packets from hosts to the outside are not filtered.
"""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from local_cloud.commands import run, succeeds
from local_cloud.emulator.lifecycle import Instance
from local_cloud.emulator.security import EVERYTHING, Permission
from local_cloud.network import groups_table
from local_cloud.settings import Settings

LOG = logging.getLogger(__name__)
GONE = ("shutting-down", "terminated")
ANYWHERE = "0.0.0.0/0"
FILTERED = Path("/proc/sys/net/bridge")
TABLE = """\
table ip {table}
delete table ip {table}
table ip {table} {{
  chain forward {{
    type filter hook forward priority filter - 1;
    oifname "{bridge}" jump ingress
  }}
  chain ingress {{
    ct state established,related accept
    {rules}
  }}
}}
"""
UNENFORCED = (
    "Security groups are not enforced: this kernel has no br_netfilter, so packets within a bridge "
    "pass no firewall. Every host can reach every other host."
)


class Firewall:
    """Keeps the table equal to the security groups of the EC2 API."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._written = ""

    def start(self) -> None:
        """Enable the firewall for the bridge, or log that this kernel cannot."""
        if not FILTERED.exists() and not load_filter():
            LOG.warning(UNENFORCED)
            return
        bridge = self.settings.bridge
        run("ip", "link", "set", bridge, "type", "bridge", "nf_call_iptables", "1")

    def follow(self, instances: Iterable[Instance], permissions: Iterable[Permission]) -> None:
        """Write the table if it has changed."""
        wanted = table(self.settings, members(instances), permissions)
        if wanted != self._written:
            run("nft", "-f", "-", stdin=wanted)
            self._written = wanted


def load_filter() -> bool:
    """Load br_netfilter and enable it for our bridge only."""
    if not succeeds("modprobe", "br_netfilter") or not FILTERED.exists():
        return False
    for setting in FILTERED.glob("bridge-nf-call-*"):
        setting.write_text("0\n")
    return True


def members(instances: Iterable[Instance]) -> dict[str, list[str]]:
    """Return the addresses of the instances of every group, and all addresses under ""."""
    found: dict[str, list[str]] = {"": []}
    for instance in instances:
        if instance.state not in GONE and instance.ip:
            for group in ("", *instance.group_ids):
                found.setdefault(group, []).append(instance.ip)
    return found


def table(
    settings: Settings, addresses: dict[str, list[str]], permissions: Iterable[Permission]
) -> str:
    """Return the nft table. It does not filter hosts without EC2, such as those of role tests."""
    lines = []
    if addresses[""]:
        lines.append(f"ip daddr != {listed(addresses[''])} accept")
        lines += rules(addresses, permissions)
        lines.append("drop")
    return TABLE.format(
        table=groups_table(settings), bridge=settings.bridge, rules="\n    ".join(lines)
    )


def rules(addresses: dict[str, list[str]], permissions: Iterable[Permission]) -> Iterator[str]:
    """Yield a rule for each permission whose source and target exist."""
    for permission in permissions:
        to = addresses.get(permission.group)
        come = addresses.get(permission.source) if permission.source else [permission.network]
        if to and come:
            whence = "" if permission.network == ANYWHERE else f"ip saddr {listed(come)} "
            yield f"{whence}ip daddr {listed(to)} {port(permission)}accept"


def port(permission: Permission) -> str:
    """Return the nft match for a protocol and its ports; for ICMP, type and code."""
    protocol, ports = permission.protocol, permission.ports
    if protocol == EVERYTHING:
        return ""
    if protocol in ("tcp", "udp") and ports is not None and ports[0] >= 0:
        return f"{protocol} dport {ports[0]}-{ports[1]} "
    if protocol == "icmp" and ports is not None and ports[0] >= 0:
        return f"icmp type {ports[0]} "
    return f"meta l4proto {protocol} "


def listed(addresses: Iterable[str]) -> str:
    return f"{{ {', '.join(sorted(set(addresses)))} }}"
