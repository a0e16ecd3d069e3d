"""Split results into pages by number of data points.

"TimestampDescending returns the newest data first and paginates when the MaxDatapoints limit is
reached": the points of all results are sorted by time and then by result. A token names the last
point of the page, not a number of points, so data that arrive between two pages change nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local_cloud.cloudwatch.errors import InvalidNextTokenError
from local_cloud.cloudwatch.metric import TimeSeries

Points = list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Page:
    """The points of each result, whether each is complete, and the token of the next page."""

    points: list[Points]
    complete: list[bool]
    token: str | None


def page(
    series: Sequence[TimeSeries], limit: int, *, ascending: bool, after: str | None, request: Any
) -> Page:
    """Return the page that begins after a token.

    Raises:
        InvalidNextTokenError: the token is invalid or belongs to another request.
    """
    sign = 1 if ascending else -1
    ordered = sorted((sign * time, n) for n, each in enumerate(series) for time in each.points)
    if after is not None:
        last = tuple(_read(after, request))
        ordered = [key for key in ordered if key > last]
    here, rest = ordered[:limit], ordered[limit:]
    points: list[Points] = [[] for _ in series]
    for key, n in here:
        points[n].append((sign * key, series[n].points[sign * key]))
    unfinished = {n for _, n in rest}
    complete = [n not in unfinished for n in range(len(series))]
    return Page(points, complete, _write(here[-1], request) if rest else None)


def _fingerprint(request: Any) -> str:
    text = json.dumps(request, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write(position: Sequence[int], request: Any) -> str:
    return base64.urlsafe_b64encode(
        json.dumps([*position, _fingerprint(request)]).encode()
    ).decode()


def _read(token: str, request: Any) -> tuple[int, int]:
    try:
        time, n, fingerprint = json.loads(base64.urlsafe_b64decode(token))
        position = int(time), int(n)
    except (ValueError, TypeError) as error:
        raise InvalidNextTokenError(f"The token {token} is invalid.") from error
    if fingerprint != _fingerprint(request):
        raise InvalidNextTokenError(f"The token {token} was given for another request.")
    return position


def page_of(
    items: Sequence[Any], limit: int, token: str | None
) -> tuple[Sequence[Any], str | None]:
    """Split a list into pages by position; for lists that change rarely."""
    start = 0 if token is None else _read(token, None)[0]
    end = start + limit
    return items[start:end], _write((end, 0), None) if end < len(items) else None


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
