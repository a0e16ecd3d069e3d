"""The two colours of an environment."""

from __future__ import annotations

Colours = tuple[str, str]


def other_colour(colours: Colours, colour: str) -> str:
    """Return the one of ``colours`` that is not ``colour``.

    >>> other_colour(("blue", "green"), "green")
    'blue'
    """
    first, second = colours
    return second if colour == first else first
