"""Clients of somebody else's app, through the proxy of the role on a booted host.

The proxy has documented settings only. The hosts have the names of those of ``test_files``.
"""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.hosts import foreign
from tests.hosts.foreign import Hosts
from tests.support.local_cloud_machine import Cloud

pytestmark = [pytest.mark.timeout(1200)]
ABOVE_EVERY_TIMEOUT = 35
"""Seconds: only the timeout of tunnels is longer."""
HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture(scope="module")
def hosts(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    found = foreign.start(cloud, tmp_path_factory.mktemp("clients"))
    found.canary("deploy", "v1", "--everywhere")
    yield found
    foreign.stop(cloud)


def server(hosts: Hosts, path: str = "/", **headers: str) -> str:
    """Send a request, and return the server that responded."""
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://{hosts.addresses['proxy']}{path}", headers=own)
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - http
        assert response.status == 200
        return str(response.headers["X-Server"])


def test_a_request_of_four_seconds_gets_its_response(hosts: Hosts) -> None:
    began = time.monotonic()
    server(hosts, "/slow")
    assert 4 <= time.monotonic() - began < 8, "one try"


@pytest.mark.parametrize(
    "seconds", [ABOVE_EVERY_TIMEOUT, pytest.param(600, marks=pytest.mark.rare)]
)
def test_a_websocket_may_be_idle(hosts: Hosts, seconds: int) -> None:
    with (
        socket.create_connection((hosts.addresses["proxy"], 80), 10) as connection,
        connection.makefile("rb") as lines,
    ):
        connection.sendall(HANDSHAKE)
        assert b" 101 " in lines.readline()
        while lines.readline().strip():
            pass
        time.sleep(seconds)
        connection.sendall(b"still here\n")
        assert lines.readline() == b"still here\n"


def test_clients_of_a_cdn_without_cookies_keep_their_servers(hosts: Hosts) -> None:
    key, known = hosts.directory / "canary_ed25519", hosts.directory / "known_hosts"
    ssh = ["ssh", "-i", str(key), "-o", f"UserKnownHostsFile={known}"]
    split = ["set", "--candidate", "green", "--share", "0.5", "--lease", "60"]
    subprocess.run([*ssh, f"canary@{hosts.addresses['proxy']}", *split], check=True)
    clients = [f"203.0.113.{number}" for number in range(20)]
    first = {client: server(hosts, X_Forwarded_For=client) for client in clients}
    again = {client: server(hosts, X_Forwarded_For=client) for client in clients}
    assert set(first.values()) == {"foreign-blue", "foreign-green"}
    assert again == first
