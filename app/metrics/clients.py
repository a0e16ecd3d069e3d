"""Errors that come from a few clients, and not from the release.

A client that repeats a failing request could make one release look broken. So requests and errors
are also counted by client. A few clients that have nearly all errors, but send only a small part of
the requests, are left out.
"""

from __future__ import annotations

import ipaddress
import math
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

CLIENTS = 512
"""Number of groups in which clients are counted. Two clients of one group count as one."""
FEW = 5
MOST_REQUESTS = 0.5
"""A group with this share of the requests or more is the shop's main load, not a few clients."""
CHANCE = 1e-6
"""Errors are a client's own if their number has less than this probability at the others' rate."""

#: Requests and errors.
Tally = tuple[int, int]


@lru_cache(4096)
def group_of(client: str) -> int:
    """Return the group of a client's address. The first 64 bits of an IPv6 address decide.

    >>> group_of("2001:db8::1") == group_of("2001:db8::2") != group_of("2001:db9::1")
    True
    """
    try:
        address = ipaddress.ip_address(client)
        part = address.packed[:8]
    except ValueError:
        part = client.encode()
    return zlib.crc32(part) % CLIENTS


def set_aside(clients: Iterable[Tally]) -> Tally:
    """Return the requests and errors of the few clients that cause the errors, or zeros.

    >>> set_aside([(10, 10), *[(5, 0)] * 20])
    (10, 10)
    >>> set_aside([(10, 10), *[(5, 2)] * 20])  # the others' requests fail too
    (0, 0)
    >>> set_aside([(100, 30)])  # one load generator sends everything
    (0, 0)
    """
    counted = sorted(clients, key=lambda client: client[1], reverse=True)
    requests, errors = added(counted[FEW:])
    if not requests:
        return 0, 0
    rate = (errors + 0.5) / requests
    few = added([client for client in counted[:FEW] if own(client, rate)])
    return few if few[0] < MOST_REQUESTS * added(counted)[0] else (0, 0)


def own(client: Tally, rate: float) -> bool:
    """Return whether a client has more errors than the others' rate and chance explain.

    The chance of at least k events where m are expected is at most m^k / k!.
    """
    requests, errors = client
    expected = rate * requests
    return errors * math.log(expected) - math.lgamma(errors + 1) < math.log(CHANCE)


def added(clients: Sequence[Tally]) -> Tally:
    return sum(client[0] for client in clients), sum(client[1] for client in clients)
