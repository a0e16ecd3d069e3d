"""Wait for SSH."""

import socket
import time
from ipaddress import IPv4Address

from local_cloud.errors import HostError

BOOT_TIMEOUT = 60.0


def await_ssh(address: IPv4Address, timeout: float = BOOT_TIMEOUT) -> None:
    """Wait until ``address`` sends the greeting of an SSH server."""
    deadline = time.monotonic() + timeout
    while not greets(address):
        if time.monotonic() > deadline:
            raise HostError(
                f"{address} did not respond by SSH within {timeout:g} s. "
                f"Type: local-cloud logs {address}"
            )
        time.sleep(0.05)


def greets(address: IPv4Address) -> bool:
    """Return whether ``address`` sends the greeting of an SSH server."""
    try:
        with socket.create_connection((str(address), 22), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
