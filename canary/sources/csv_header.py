"""The first line of a CSV file, and sentences about files that are no CSV of this kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from canary.errors import SourceError
from canary.reading import open_file

REQUIRED = ("time", "arm", "instance", "metric", "value")
OPTIONAL = ("samples", "spread")
OTHER_NAMES = {
    "time": ("timestamp", "date", "datetime", "ts", "_time", "period"),
    "arm": ("group", "variant", "scope", "deployment", "role", "track"),
    "instance": ("host", "hostname", "pod", "node", "server", "instance_id"),
    "metric": ("name", "metric_name", "series", "__name__"),
    "value": ("val", "_value", "values", "mean", "avg"),
    "samples": ("count", "n", "requests", "sample_count", "samplecount"),
    "spread": ("sigma", "stddev"),
}
"""What other programs call these columns."""
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
ENCODINGS = {
    b"\x1f\x8b": "is compressed; unpack it first: gunzip",
    b"PK": "is a zip archive or an Excel workbook; unpack it, or save the sheet as CSV UTF-8",
    b"\xff\xfe": "is written in UTF-16; save it as UTF-8",
    b"\xfe\xff": "is written in UTF-16; save it as UTF-8",
}
"""The first bytes of files of another kind."""
SHOWN = 60


def names_of(path: Path, header: Sequence[str]) -> list[str]:
    """Return the names of the columns, whatever their case and the spaces around them.

    Raises:
        SourceError: a column is missing, not known, or there twice.
    """
    names = [name.strip().lower() for name in header]
    if not any(names):
        raise SourceError(f"{path} is empty, or its first line is; it must name the columns")
    if not set(names) & {*REQUIRED, *OPTIONAL}:
        raise SourceError(f"{path}: {_nothing_known(header)}; {_allowed()}")
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in REQUIRED + OPTIONAL]
    twice = sorted({name for name in names if names.count(name) > 1})
    if missing or unknown or twice:
        also = f", columns that are there twice {twice}" if twice else ""
        raise SourceError(
            f"{path}: missing columns {missing}, unknown columns {unknown}{also}; {_allowed()}"
            f"{_renamed(missing, unknown)}"
        )
    return names


def not_text(path: Path) -> str:
    """Return what is wrong with a file that is not UTF-8."""
    with open_file(path) as file:
        start = file.read(4)
    found = (words for mark, words in ENCODINGS.items() if start.startswith(mark))
    told = next(found, "is not written in UTF-8; save it so (in Excel: CSV UTF-8)")
    return f"{path} {told}"


def _allowed() -> str:
    return f"allowed are {', '.join(REQUIRED)} and, if known, {', '.join(OPTIONAL)}"


def _nothing_known(header: Sequence[str]) -> str:
    """Return what is wrong with a first line that holds no known name."""
    line = ",".join(header)
    for mark, words in SEPARATORS.items():
        if mark in line:
            return (
                f"its columns are separated by {words}. Separate the columns with commas, and "
                "write a point before the decimals"
            )
    shown = line if len(line) <= SHOWN else f"{line[:SHOWN]}..."
    return f"its first line must name the columns, but it is {shown!r}"


def _renamed(missing: Sequence[str], unknown: Sequence[str]) -> str:
    """Say which columns to rename, and that one without a name is an index."""
    pairs = [
        f"{other} to {name}"
        for name in (*missing, *OPTIONAL)
        for other in unknown
        if other in OTHER_NAMES.get(name, ())
    ]
    told = f". Perhaps rename {', '.join(pairs)}" if pairs else ""
    if {"metric", "value"} <= set(missing) and not pairs:
        told += ". Each row holds one value: turn columns into rows (in pandas: melt)"
    if "" in unknown:
        told += (
            ". Take out the column without a name (an index of pandas: to_csv(index=False); a "
            "comma at the end of the lines)"
        )
    return told
