"""Durations in logarithmic buckets: each 5 % wide, so a percentile is right within 2.5 %.

Bucket ``i`` holds (GAMMA**(i-1), GAMMA**i] times the lowest bound. The same scheme as DDSketch:
C. Masson, J. E. Rim, H. K. Lee (2019), "DDSketch", PVLDB 12(12), 2195-2205.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from functools import partial

GAMMA = 1.05
LOWEST_MS = 0.01
BUCKETS = 336  # up to 130 s


def bound(index: int) -> float:
    """Return the upper bound of a bucket in milliseconds."""
    return LOWEST_MS * GAMMA**index


_BOUNDS = [bound(each) for each in range(BUCKETS - 1)]
#: The bucket of a duration in milliseconds; the first and last bucket take everything beyond. A
#: binary search takes half the time of a logarithm.
bucket: Callable[[float], int] = partial(bisect_left, _BOUNDS)


def tally(ordered: list[float]) -> Iterator[tuple[int, int]]:
    """Yield each bucket of these durations (in seconds) with its count.

    The durations are sorted, so there is one search for each bucket, not for each duration.

    >>> list(tally([0.00001, 0.00001, 500.0]))
    [(0, 2), (335, 1)]
    """
    done = 0
    while done < len(ordered):
        index, end = bucket(ordered[done] * 1000), len(ordered)
        if index < len(_BOUNDS):
            end = bisect_right(ordered, _BOUNDS[index], done, key=lambda each: each * 1000)
        yield index, end - done
        done = end


def value(index: int) -> float:
    """Return the representative duration of a bucket; the error is at most 2.44 %.

    >>> all(abs(value(bucket(x)) / x - 1) < 0.0245 for x in (0.02, 1.0, 37.0, 2500.0))
    True
    """
    return bound(index) * 2 / (1 + GAMMA)
