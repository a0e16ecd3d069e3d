"""Access to the monitor's pages without TLS: Grafana, Locust, Prometheus.

The hosts of the tests cannot install Grafana, so another program listens on its port.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.session_cloud import SessionCloud
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
MONITOR = "local-monitor-1"
GRAFANA, PAGES = 3000, (3000, 8089, 9090)
LISTEN = f"systemd-run --unit=page python3 -m http.server {GRAFANA}"
# exit status 0 with a connection; a rejected packet gets no response
KNOCK = 'timeout 5 bash -c "exec 3<>/dev/tcp/{address}/{port}" 2>/dev/null; echo $?'


@pytest.fixture(scope="module")
def address(cloud: SessionCloud) -> Iterator[str]:
    """Return the address of the monitor, on which all three ports are open."""
    cloud.ssh(MONITOR, LISTEN)
    found = cloud.hosts()[MONITOR]
    try:
        for port in PAGES:
            wait_for(
                lambda port=port: reaches(cloud, MONITOR, "127.0.0.1", port),  # type: ignore[misc]
                f"something listens on port {port}",
                60,
                1,
            )
        yield found
    finally:
        cloud.ssh(MONITOR, "systemctl stop page")


def reaches(cloud: SessionCloud, host: str, address: str, port: int) -> bool:
    return cloud.ssh(host, KNOCK.format(address=address, port=port)).strip() == "0"


@pytest.mark.parametrize("port", PAGES)
def test_no_host_reaches_the_pages(cloud: SessionCloud, address: str, port: int) -> None:
    """An attacker on a host must not read the graphs or start a load.

    On AWS the proxy reaches them, to forward them over SSH (``tests/unit/roles/test_settings.py``).
    """
    others = [host for host in cloud.hosts() if host != MONITOR]
    assert len(others) == 6
    with ThreadPoolExecutor(len(others)) as pool:  # after a dropped packet, the client waits
        found = list(pool.map(lambda host: reaches(cloud, host, address, port), others))
    assert dict(zip(others, found, strict=True)) == dict.fromkeys(others, False)


@pytest.mark.parametrize("port", PAGES)
def test_the_controller_does(address: str, port: int) -> None:
    socket.create_connection((address, port), timeout=10).close()


@pytest.mark.parametrize("port", PAGES)
def test_the_proxy_forwards_no_page_to_customers(cloud: SessionCloud, port: int) -> None:
    with pytest.raises(OSError, match=r"timed out|refused"):
        socket.create_connection((cloud.hosts()["local-proxy-1"], port), timeout=5)
