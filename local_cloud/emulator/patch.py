"""Put our methods in the place of moto's."""

from typing import Any


def patch(owner: Any, **methods: Any) -> None:
    """Replace the named attributes of a class of moto's."""
    for name, method in methods.items():
        setattr(owner, name, method)
