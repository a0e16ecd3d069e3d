"""``canary plan --cost``: what an environment in AWS costs a month, by item."""

from __future__ import annotations

import dataclasses

from canary.cli.common import answer
from canary.cli.files import find_needs
from canary.doctor.cost import LEFT_OUT, bill, dated, lines, total
from canary.doctor.needs import load_needs
from canary.errors import PolicyError


def show_bill(env: str | None, *, as_json: bool) -> None:
    """Print the bill. It needs no policy, so it can be printed before anything is created."""
    if env is None:
        raise PolicyError("Name the environment: --env NAME")
    items = bill(load_needs(find_needs(env)))
    document = {
        "items": [dataclasses.asdict(item) for item in items],
        "total": total(items),
        "prices": dated(),
    }
    text = "\n".join([*lines(items), "", f"Prices: {dated()}.", f"{LEFT_OUT}."])
    answer(document, text, as_json=as_json)
