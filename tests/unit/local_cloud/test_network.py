"""Names of interfaces, and networks that are rejected."""

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from local_cloud import network
from local_cloud.errors import NetworkError
from local_cloud.settings import Settings

SETTINGS = Settings(state=Path("/s"), cache=Path("/c"), bridge="ccbr0")
LONGEST_INTERFACE_NAME = 15  # IFNAMSIZ - 1 of the kernel's if.h


@pytest.mark.parametrize(
    ("address", "name"),
    [("10.77.1.4", "ccbr0-104"), ("10.77.255.254", "ccbr0-fffe")],  # host number in hex
)
def test_a_cable_is_named_after_its_bridge_and_host(address: str, name: str) -> None:
    assert network.link(SETTINGS, IPv4Address(address)) == name


def test_the_longest_cable_name_fits() -> None:
    widest = Settings(
        state=Path("/s"), cache=Path("/c"), bridge="12345678", network=IPv4Network("10.0.0.0/8")
    )
    assert len(network.link(widest, IPv4Address("10.255.255.254"))) == LONGEST_INTERFACE_NAME


def test_metadata_leads_to_the_gateway_and_the_outside_is_masqueraded() -> None:
    rules = network.rules(SETTINGS)
    assert 'iifname "ccbr0" ip daddr 169.254.169.254 tcp dport 80 dnat to 10.77.0.1:4567' in rules
    assert "ip saddr 10.77.0.0/16 ip daddr != 10.77.0.0/16 masquerade" in rules


@pytest.mark.parametrize(
    ("route", "overlaps"),
    [
        ("default", False),
        ("10.77.3.0/24", True),
        ("10.0.0.0/8", True),
        ("10.77.5.5", True),
        ("10.78.0.0/16", False),
        ("192.168.1.0/24", False),
        ("0.0.0.0/1", False),  # half of all addresses, as in the default route of a VPN
    ],
)
def test_routes_that_overlap_the_cloud(route: str, *, overlaps: bool) -> None:
    assert network.overlaps(route, SETTINGS) is overlaps


def test_a_network_that_is_routed_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = '[{"dst": "default", "dev": "eth0"}, {"dst": "10.77.0.0/24", "dev": "tun0"}]'
    monkeypatch.setattr(network, "run", lambda *_: routes)
    with pytest.raises(NetworkError, match=r"a route to 10\.77\.0\.0/24 on tun0"):
        network.refuse_foreign_route(SETTINGS)


def test_our_own_route_is_not_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "run", lambda *_: '[{"dst": "10.77.0.0/16", "dev": "ccbr0"}]')
    network.refuse_foreign_route(SETTINGS)


def test_another_clouds_bridge_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "owner", lambda _: "/elsewhere/cloud")
    with pytest.raises(NetworkError, match="belongs to /elsewhere/cloud, not to /s") as caught:
        network.raise_network(SETTINGS)
    assert "export LOCAL_CLOUD_STATE=/elsewhere/cloud" in str(caught.value)
    assert "destroy" not in str(caught.value), "a typo in a directory must cost no cloud"
