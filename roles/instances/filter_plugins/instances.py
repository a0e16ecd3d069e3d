"""What hosts there shall be, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def one_by_one(kinds: Iterable[Mapping[str, Any]], environment: str) -> list[dict[str, Any]]:
    """Return one entry for each host of each kind, with its ``name`` and without the count.

    >>> one_by_one([{"role": "app", "colour": "blue", "count": 1, "subnet": "app"}], "local")
    [{'role': 'app', 'colour': 'blue', 'subnet': 'app', 'name': 'local-app-blue-1'}]
    """
    return [
        {key: value for key, value in kind.items() if key != "count"}
        | {"name": "-".join(filter(None, (environment, kind["role"], kind.get("colour"), str(n))))}
        for kind in kinds
        for n in range(1, int(kind["count"]) + 1)
    ]


class FilterModule:
    """Give Ansible the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"instances_one_by_one": one_by_one}
