"""Recordings as JSON: exact floats, sorted keys, one schema version.

What ``dump_recording`` writes, ``load_recording`` reads back equal, bit for bit: Python writes the
shortest text that reads as the same float. NaN and infinities are not JSON, and not values either.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from canary.earlier import from_version_1
from canary.errors import RecordingError
from canary.model import Recording
from canary.reading import CANARY, read_json, read_text

SCHEMA_VERSION = 2
LATEST = 2**40
MOST_PERIODS = 2_000_000
"""Limits of times, in seconds since 1970, and of the length of a recording."""
_ABSENT = object()

_RECORDING = TypeAdapter(Recording)


def dump_recording(recording: Recording, path: Path | str) -> None:
    """Write ``recording`` to ``path``."""
    Path(path).write_text(recording_to_text(recording), encoding="utf-8")


def load_recording(path: Path | str) -> Recording:
    """Read the recording at ``path``.

    Raises:
        RecordingError: it is missing, damaged, or of another schema version.
    """
    try:
        text = read_text(Path(path), CANARY)
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"The recording {path} cannot be read: {error}.") from error
    return recording_from_text(text, str(path))


def recording_to_text(recording: Recording) -> str:
    """Return ``recording`` as JSON text."""
    _refuse_damage(recording, "to be written")
    document = {"version": SCHEMA_VERSION, "recording": _RECORDING.dump_python(recording)}
    try:
        return json.dumps(document, sort_keys=True, allow_nan=False, separators=(",", ":")) + "\n"
    except ValueError as error:
        raise RecordingError(
            f"The recording holds a value that is not a number: {error}."
        ) from error


def recording_from_text(text: str, name: str = "given") -> Recording:
    """Return the recording in ``text``; ``name`` is its name in messages."""
    document = _document(text, name)
    content, version = document.get("recording"), document.get("version")
    if version == 1:
        content = from_version_1(content)
    elif version != SCHEMA_VERSION:
        newer = isinstance(version, int) and version > SCHEMA_VERSION
        hint = " Install the canary that wrote it, or a newer one." if newer else ""
        raise RecordingError(
            f"The recording {name} has schema version {version!r}; "
            f"this program reads versions 1 to {SCHEMA_VERSION}.{hint}"
        )
    try:
        recording = _RECORDING.validate_json(json.dumps(content), strict=False)
    except ValidationError as error:
        raise RecordingError(f"The recording {name} is damaged: {_faults(error)}.") from error
    if lost := _unknown(content, _RECORDING.dump_python(recording, mode="json")):
        raise RecordingError(f"The recording {name} has a key that is not known: {lost}.")
    _refuse_damage(recording, name)
    return recording


def _document(text: str, name: str) -> dict[str, Any]:
    def refuse(constant: str) -> float:
        raise RecordingError(f"The recording {name} holds {constant}, which is not a number.")

    try:
        document = read_json(text, refuse)
    except ValueError as error:
        raise RecordingError(
            f"The recording {name} is not JSON: {error}. It may have been cut short."
        ) from error
    if not isinstance(document, dict):
        raise RecordingError(
            f"The recording {name} is a JSON {type(document).__name__}, not an object."
        )
    return document


def _unknown(given: Any, understood: Any, where: str = "recording") -> str:
    """Return the first key of ``given`` that reading it ignored."""
    if isinstance(given, dict) and isinstance(understood, dict):
        pairs = [(given[key], understood.get(key, _ABSENT), key) for key in given]
    elif isinstance(given, list) and isinstance(understood, list):
        pairs = list(zip(given, understood, map(str, range(len(given))), strict=True))
    else:
        return where if understood is _ABSENT else ""
    found = (_unknown(one, other, f"{where}.{key}") for one, other, key in pairs)
    return next(filter(None, found), "")


def _faults(error: ValidationError) -> str:
    def sentence(loc: tuple[int | str, ...], message: str) -> str:
        return f"{'.'.join(map(str, loc)) or 'it'}: {message[0].lower()}{message[1:]}"

    faults = [sentence(fault["loc"], fault["msg"]) for fault in error.errors()[:5]]
    more = error.error_count() - len(faults)
    return "; ".join(faults) + (f"; and {more} more" if more > 0 else "")


def _refuse_wrong_times(recording: Recording, name: str) -> None:
    """Check the span of the recording: a wrong time would add millions of periods."""
    times = [
        time for series in recording.series for time in (*series.times[:1], *series.times[-1:])
    ]
    moments = [*(step.start for step in recording.steps), *recording.looks, *times]
    if not moments:
        return
    first, last = min(moments), max(moments)
    if max(-first, last) > LATEST or (last - first) / recording.period > MOST_PERIODS:
        raise RecordingError(
            f"The recording {name} lasts from {str(first)[:20]} to {str(last)[:20]}, in seconds "
            "since 1970, so one of its times is wrong."
        )


def _refuse_damage(recording: Recording, name: str) -> None:
    """Check that lengths agree, times ascend and every number is finite."""
    if recording.period < 1:
        raise RecordingError(f"The recording {name} has a period of {recording.period} seconds.")
    _refuse_wrong_times(recording, name)
    lead = recording.lead_in.series if recording.lead_in is not None else ()
    for series in (*recording.series, *lead):
        where = f"series {series.metric} of {series.instance} ({series.arm})"
        lengths = {len(series.times), len(series.values), len(series.samples)}
        if len(lengths | ({len(series.spread)} if series.spread else set())) > 1:
            raise RecordingError(f"The recording {name}: {where} has columns of unequal length.")
        if any(b <= a for a, b in zip(series.times, series.times[1:], strict=False)):
            raise RecordingError(f"The recording {name}: {where} has times that do not ascend.")
        numbers = (*series.values, *series.samples, *series.spread)
        if not all(number is None or math.isfinite(number) for number in numbers):
            raise RecordingError(
                f"The recording {name}: {where} holds a number that is not finite."
            )
