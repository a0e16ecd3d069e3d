"""Security groups as rules for the firewall between hosts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.ec2.models import ec2_backends

from local_cloud.emulator import ACCOUNT

EVERYTHING = "-1"


@dataclass(frozen=True, order=True)
class Permission:
    """One ingress rule of ``group``: from a network or from the members of another group."""

    group: str
    protocol: str
    ports: tuple[int, int] | None = None
    network: str = ""
    source: str = ""


def permissions() -> list[Permission]:
    """Return every ingress rule of every group."""
    found: set[Permission] = set()
    for backend in list(ec2_backends[ACCOUNT].values()):
        for groups in list(backend.groups.values()):
            for group in list(groups.values()):
                for rule in list(group.ingress_rules):
                    found.update(allowed(group.id, rule))
    return sorted(found)


def allowed(group: str, rule: Any) -> Iterator[Permission]:
    """Yield the permissions of moto's ``rule``, without IPv6: hosts have none."""
    ports = None if rule.from_port is None else (int(rule.from_port), int(rule.to_port))
    protocol = rule.ip_protocol or EVERYTHING
    if rule.cidr_ipv4:
        yield Permission(group, protocol, ports, network=rule.cidr_ipv4)
    if source := rule.source_group.get("GroupId", ""):
        yield Permission(group, protocol, ports, source=source)


def groups_of(record: Any) -> tuple[str, ...]:
    """Return the ids of the groups of an instance; by default the group of its VPC, as on AWS."""
    chosen = tuple(group.id for group in record.security_groups)
    if chosen:
        return chosen
    own = record.ec2_backend.get_security_group_from_name("default", record.vpc_id)
    return (own.id,) if own else ()
