"""A plain CSV file, read by numpy in blocks: millions of rows in seconds.

A plain file has no quotes, the same number of commas in each row, and valid numbers. Any other file
raises ``UnusualError``. Then `csv_rows` reads it row by row, and names the wrong line.

A number of at most 15 digits is an exact integer divided by an exact power of ten, so it is the
same float that Python reads.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from canary.reading import open_file
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

BLOCK = 8 * 1024 * 1024
MOST_DIGITS = 15
LONGEST = 400
"""Bytes of the longest field that is read here."""
NEWLINE, RETURN, COMMA, QUOTE, DOT, MINUS, ZERO = b'\n\r,".-0'
POWERS = 10.0 ** np.arange(MOST_DIGITS + 2)
FACTOR = np.uint64(int.from_bytes(os.urandom(7)) * 2 + 1)
"""A random odd factor of the hash of texts, so that nobody can craft a file with collisions."""

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]


class UnusualError(Exception):
    """The file is not plain."""


class Field:
    """One column of a block: where each row's bytes begin and end."""

    def __init__(self, data: Bytes, starts: Places, ends: Places) -> None:
        self._data = data
        self._starts = starts
        self._widths = ends - starts
        if len(starts) and self._widths.max() > LONGEST:
            raise UnusualError

    def texts(self) -> tuple[list[str], NDArray[np.intp]]:
        """Return the different texts, and for each row which one it holds."""
        codes = np.zeros(len(self._starts), dtype=np.uint64)
        for byte, there in self._bytes():
            codes = np.where(there, codes * FACTOR + byte + np.uint64(1), codes)
        _, first, which = np.unique(codes, return_index=True, return_inverse=True)
        return [self._text(row) for row in first.tolist()], which

    def numbers(self) -> Floats:
        """Return the numbers; NaN where the field is empty, infinity where it says so."""
        count = len(self._starts)
        whole = np.zeros(count)
        digits, decimals = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        dot, minus, odd = (np.zeros(count, dtype=bool) for _ in range(3))
        for at, (byte, there) in enumerate(self._bytes()):
            digit = there & (byte >= ZERO) & (byte <= ZERO + 9)
            whole = np.where(digit, whole * 10 + (byte - float(ZERO)), whole)
            digits += digit
            decimals += digit & dot
            point = there & (byte == DOT)
            sign = there & (byte == MINUS) if at == 0 else np.zeros(count, dtype=bool)
            odd |= (there & ~digit & ~point & ~sign) | (point & dot)
            dot |= point
            minus |= sign
        odd |= (digits > MOST_DIGITS) | ((digits == 0) & (self._widths > 0))
        found = whole / POWERS[np.minimum(decimals, MOST_DIGITS + 1)]
        found = np.where(minus, -found, found)
        found[self._widths == 0] = np.nan
        for row in np.flatnonzero(odd).tolist():
            found[row] = self._number(row)
        return found

    def _number(self, row: int) -> float:
        text = self._text(row).strip()
        try:
            number = float(text) if text else math.nan
        except ValueError:
            raise UnusualError from None
        if text and math.isnan(number):
            raise UnusualError
        return number

    def _bytes(self) -> Iterator[tuple[Bytes, Mask]]:
        """Return the first byte of every row, the second, ..., and whether it has one."""
        last = len(self._data) - 1
        for at in range(int(self._widths.max(initial=0))):
            there: Mask = self._widths > at
            yield self._data[np.minimum(self._starts + at, last)], there

    def _text(self, row: int) -> str:
        start = self._starts[row]
        try:
            return bytes(self._data[start : start + self._widths[row]]).decode()
        except UnicodeDecodeError:
            raise UnusualError from None


def fields_of(path: Path, count: int) -> Iterator[list[Field]]:
    """Return the ``count`` columns of each block of a file; its header is left out."""
    with open_file(path) as file:
        file.readline()
        rest = b""
        while block := file.read(BLOCK):
            cut = block.rfind(b"\n") + 1
            if cut:
                yield _split(rest + block[:cut], count)
                rest = b""
            rest += block[cut:]
        if rest.strip():
            yield _split(rest + b"\n", count)


def _split(block: bytes, count: int) -> list[Field]:
    data = np.frombuffer(block, dtype=np.uint8)
    if (data == QUOTE).any():
        raise UnusualError
    ends = np.flatnonzero(data == NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1])
    ends = ends - ((ends > starts) & (data[np.maximum(ends - 1, 0)] == RETURN))
    filled = ends > starts
    starts, ends = starts[filled], ends[filled]
    commas = np.flatnonzero(data == COMMA)
    within = np.searchsorted(commas, ends) - np.searchsorted(commas, starts)
    if (within != count - 1).any():
        raise UnusualError
    inner = commas.reshape(len(starts), count - 1)
    edges = np.column_stack([starts - 1, inner, ends])
    return [Field(data, edges[:, at] + 1, edges[:, at + 1]) for at in range(count)]
