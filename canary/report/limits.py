"""Limits of what a page shows, so that it always stays below 5 MB.

A page of 5 MB opens anywhere and can be attached to a message. The most important content comes
first, and the page says what is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from canary.formatting import plural
from canary.model import Recording

MOST_FINDINGS, MOST_PLOTS = 300, 40
MOST_POINTS = 400
"""Points of one line. It keeps its highest and lowest ones."""
MOST_HOSTS, HOST_POINTS = 12, 60_000
"""Lines of single hosts in a plot, for each arm, and the points of all such lines."""
MOST_READINGS = 120
FEW_SENTENCES = 12
"""Sentences about the data in a terminal or a comment."""
MOST_NAMES, MOST_SENTENCES, MOST_EVENTS = 50, 40, 200
MOST_DATAPOINTS, MOST_BYTES = 20_000, 800_000
"""Of the files in the page."""


def hosts_drawn(metrics: int, periods: int) -> int:
    """Return how many hosts of each arm have a line of their own in every plot."""
    points = 2 * max(min(metrics, MOST_PLOTS), 1) * max(min(periods, MOST_POINTS), 1)
    return min(HOST_POINTS // points, MOST_HOSTS)


def datapoints(recording: Recording) -> int:
    """Return the number of datapoints of a recording."""
    return sum(len(series.times) for series in recording.series)


def some(items: Sequence[str], most: int, noun: str) -> list[str]:
    """Return the first items, and a word on how many more there are.

    >>> some(["a", "b", "c"], 2, "host")
    ['a', 'b', 'and 1 more host']
    """
    left = len(items) - most
    return [*items[:most], f"and {left} more {noun}{'s' * (left > 1)}"] if left > 0 else [*items]


def left_out(recording: Recording, metrics: int, hosts: int) -> list[str]:
    """Return sentences on what the plots leave out."""
    said = []
    most = max(len(recording.baseline.instances), len(recording.candidate.instances))
    if most > hosts > 0:
        said.append(
            f"At most {plural(hosts, 'instance')} of each release are drawn as thin lines: those "
            "that differ most from the rest."
        )
    elif most > 1 and hosts == 0:
        said.append("Single instances are not drawn, because there is too much to draw.")
    if metrics > MOST_PLOTS:
        said.append(
            f"{MOST_PLOTS} of {metrics} metrics are plotted: those that decide the verdict, and "
            "those closest to a decision."
        )
    return said
