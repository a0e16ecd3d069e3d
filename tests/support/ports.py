"""Free ports of this machine, for servers that a test starts as processes."""

from __future__ import annotations

import random
import socket

#: Below the ports that Linux gives to clients (``ip_local_port_range``, 32768 to 60999 by default),
#: so that no outgoing connection takes the port before the server starts.
SERVERS = range(20_000, 32_000)


def listens(port: int) -> bool:
    """Return whether a server of this machine accepts connections there."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def free_port() -> int:
    """Return a port on which nothing listens, at any address; processes choose at random."""
    choose = random.SystemRandom()
    while True:
        port = choose.choice(SERVERS)
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        return port
