"""Replace methods of moto's classes."""

from typing import Any


def patch(owner: Any, **methods: Any) -> None:
    """Replace attributes of a class of moto."""
    for name, method in methods.items():
        setattr(owner, name, method)
