"""Check that every acknowledged order is in the database once, and test the check itself.

Each shopper buys once, with a unique name in the cart. So a doubled order is found whatever its
origin: one cart, one key, or a doubled cart.
"""

from __future__ import annotations

import subprocess
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.chaos.hosts import DATA, PATIENCE

Rows = list[tuple[str, str]]
"""Shopper and order id, as the database has them."""
NAME = "items->0->>$$description$$"


@dataclass(frozen=True)
class Books:
    """Acknowledged orders that are missing, and shoppers with more than one order."""

    lost: int
    doubled: int


def compare(acknowledged: Mapping[str, Iterable[str]], rows: Rows) -> Books:
    """Compare the acknowledged order ids with the database."""
    kept, count = set(rows), Counter(shopper for shopper, _ in rows)
    lost = sum(any((who, one) not in kept for one in told) for who, told in acknowledged.items())
    twice = {who for who, number in count.items() if number > 1}
    twice |= {who for who, told in acknowledged.items() if len(set(told)) > 1}
    return Books(lost, len(twice))


def orders(run: str) -> Rows:
    """Return the orders of the shoppers of one load."""
    text = _psql(f"SELECT {NAME}, id FROM orders WHERE {NAME} LIKE $${run}-%$$")  # noqa: S608
    return [(line.split("|")[0], line.split("|")[1]) for line in text.splitlines()]


def control(run: str, acknowledged: Mapping[str, Iterable[str]]) -> Books:
    """Double one order and delete another, and return what the check finds."""
    bought = sorted(who for who, told in acknowledged.items() if told)
    first, last = bought[0], bought[-1]
    copy = f"$${uuid.uuid4()}$$, $${uuid.uuid4()}$$"
    columns = "id, cart_id, items, total"
    _psql(
        f"INSERT INTO orders ({columns}) SELECT {copy}, items, total FROM orders"  # noqa: S608
        f" WHERE {NAME} = $${first}$$; DELETE FROM orders WHERE {NAME} = $${last}$$"
    )
    return compare(acknowledged, orders(run))


def _psql(query: str) -> str:
    psql = ["sudo", "-u", "postgres", "psql", "-v", "ON_ERROR_STOP=1", "-AtX", "shop"]
    command = ["local-cloud", "ssh", DATA, *psql]
    done = subprocess.run(
        command, input=query, check=True, capture_output=True, text=True, timeout=PATIENCE
    )
    return done.stdout
