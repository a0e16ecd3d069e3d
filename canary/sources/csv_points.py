"""All points of a CSV file as arrays, sorted by series and time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from canary.errors import SourceError
from canary.formatting import duration
from canary.model import Arm
from canary.sources.csv_fast import Field, UnusualError, fields_of
from canary.sources.csv_rows import Row, rows_of, time_of
from canary.stats.distributions import Floats

MOST_LATE = 0.5
"""A time that is late by at most this share of a period counts as a period's start."""

Key = tuple[str, Arm, str]
"""Metric, arm, instance."""
Codes = NDArray[np.int64]
Block = tuple[Codes, Codes, Floats]
"""Time and series of each row, and its numbers ``[3, rows]``: value, samples, spread."""


@dataclass(frozen=True, slots=True)
class Points:
    """The rows of each series: ``slices`` of ``times`` and of ``numbers``, in order of time."""

    slices: dict[Key, slice]
    times: NDArray[np.int64]
    numbers: Floats


class _Codes:
    """Numbers for times and series in order of first sight."""

    def __init__(self) -> None:
        self.times: dict[str, int] = {}
        self.keys: dict[tuple[str, str, str], int] = {}

    def time(self, text: str, where: str) -> int:
        if text not in self.times:
            self.times[text] = time_of(text, where)
        return self.times[text]

    def key(self, arm: str, instance: str, metric: str) -> int:
        return self.keys.setdefault((arm, instance, metric), len(self.keys))


def points_of(path: Path, order: Sequence[int | None], width: int, period: int) -> Points:
    """Read a file; ``order`` is the place of each column, ``width`` the number of columns.

    Raises:
        SourceError: a row is wrong, or there are two different values for one time.
    """
    codes = _Codes()
    try:
        blocks = [_fast(fields, order, codes) for fields in fields_of(path, width)]
    except UnusualError:
        codes = _Codes()
        blocks = [_slow(rows, codes) for rows in rows_of(path, order)]
    if not blocks:
        return Points({}, np.empty(0, dtype=np.int64), np.empty((3, 0)))
    times = np.concatenate([block[0] for block in blocks])
    keys = np.concatenate([block[1] for block in blocks])
    numbers = np.concatenate([block[2] for block in blocks], axis=1)
    blocks.clear()
    _refuse_between(path, times, period)
    return _sorted(path, list(codes.keys), (times, keys, numbers))


def _fast(fields: list[Field], order: Sequence[int | None], codes: _Codes) -> Block:
    chosen = [None if at is None else fields[at] for at in order]
    time, arm, instance, metric, *numbers = chosen
    assert time is not None and arm is not None and instance is not None and metric is not None  # noqa: S101, PT018
    texts, which = time.texts()
    try:
        times = np.array([codes.time(text, "") for text in texts], dtype=np.int64)[which]
    except SourceError:
        raise UnusualError from None
    parts = [field.texts() for field in (arm, instance, metric)]
    if not set(parts[0][0]) <= set(Arm):
        raise UnusualError
    if "" in parts[1][0] or "" in parts[2][0]:
        raise UnusualError
    sizes = [len(texts) for texts, _ in parts]
    joined = np.ravel_multi_index([which for _, which in parts], sizes)
    different, back = np.unique(joined, return_inverse=True)
    places = zip(*(at.tolist() for at in np.unravel_index(different, sizes)), strict=True)
    known = [
        codes.key(*(texts[at] for (texts, _), at in zip(parts, place, strict=True)))
        for place in places
    ]
    empty = np.full(len(times), np.nan)
    found = np.stack([empty if field is None else field.numbers() for field in numbers])
    if np.isinf(found[1:]).any():
        raise UnusualError
    return times, np.array(known, dtype=np.int64)[back], found


def _slow(rows: list[Row], codes: _Codes) -> Block:
    times = np.array([codes.time(row[0], "") for row in rows], dtype=np.int64)
    keys = np.array([codes.key(row[1], row[2], row[3]) for row in rows], dtype=np.int64)
    return times, keys, np.array([row[4:] for row in rows]).T


def _refuse_between(path: Path, times: NDArray[np.int64], period: int) -> None:
    """Refuse times that are not the start of a period, and tell the period that they have."""
    different = np.unique(times)
    wrong = different[different % period != 0]
    if not len(wrong):
        return
    row = int(np.flatnonzero(times == wrong[0])[0])
    where = f"{path}, line {row + 2}"
    raise SourceError(
        f"{where}: time {wrong[0]} is not the start of a period of {period} s"
        f"{_advice(different, period)}"
    )


def _advice(times: NDArray[np.int64], period: int) -> str:
    """Return what to change: the policy's period, or times that are a little late."""
    step = math.gcd(*np.diff(times).tolist()) if len(times) > 1 else 0
    late = np.unique(times % period)
    regular = step and step != period and not (times % step).any()
    if regular and len(late) > MOST_LATE * period / step:
        return f". The rows come every {duration(step)}; set period: {step}s in the policy"
    if len(late) == 1:
        return f". All rows are {int(late[0])} s after one; round their times down"
    if late[-1] <= MOST_LATE * period:
        return f". Rows are up to {int(late[-1])} s after one; round their times down"
    return ""


def _sorted(path: Path, names: list[tuple[str, str, str]], rows: Block) -> Points:
    times, keys, numbers = rows
    order = np.lexsort((times, keys))
    times, keys, numbers = times[order], keys[order], numbers[:, order]
    same = (keys[1:] == keys[:-1]) & (times[1:] == times[:-1])
    if same.any():
        before, after = numbers[:, :-1][:, same], numbers[:, 1:][:, same]
        if not np.array_equal(before, after, equal_nan=True):
            other = ~((before == after) | (np.isnan(before) & np.isnan(after))).all(axis=0)
            row = max(order[:-1][same][other][0], order[1:][same][other][0])
            raise SourceError(
                f"{path}, line {row + 2}: a second, different value for the same time and metric. "
                "If an instance has several series, such as one per status code, add them up"
            )
        once = np.concatenate([[True], ~same])
        times, keys, numbers = times[once], keys[once], numbers[:, once]
    return Points(dict(_slices(names, keys)), times, numbers)


def _slices(names: list[tuple[str, str, str]], keys: Codes) -> Iterator[tuple[Key, slice]]:
    edges = np.concatenate([[0], np.flatnonzero(np.diff(keys)) + 1, [len(keys)]]).tolist()
    for start, end in itertools.pairwise(edges):
        if end > start:
            arm, instance, metric = names[keys[start]]
            yield (metric, Arm(arm), instance), slice(start, end)
