"""Convert recordings of earlier releases to the current schema version.

A recording outlives the release that made it, and has to replay to the same verdict.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import Any

RETIRED: dict[str, object] = {"extensions": []}
"""Keys that version 1 had, each with the only value that it ever held."""
_ABSENT = object()
_KAPPA = re.compile(r"kappa_(\w+)_(\d{1,6})")


def from_version_1(recording: Any) -> Any:
    """Convert the content of a version 1 recording to version 2."""
    if not isinstance(recording, dict):
        return recording
    kept = {key: value for key, value in recording.items() if RETIRED.get(key, _ABSENT) != value}
    learned = kept.get("calibration", {})
    if isinstance(learned, dict):
        metrics = {name: _learned(numbers) for name, numbers in learned.items() if numbers != {}}
        kept["calibration"] = {"metrics": metrics, "fingerprint": None}
    return kept


def _learned(numbers: Any) -> Any:
    """Convert one metric's flat numbers. Keys ``kappa_<channel>_<periods>`` are grouped by channel.

    Unknown keys stay as they are, and are rejected when the result is read.
    """
    if not isinstance(numbers, dict):
        return numbers
    left = dict(numbers)
    kappa: dict[str, list[list[Any]]] = {}
    for name in numbers:
        if found := _KAPPA.fullmatch(name):
            kappa.setdefault(found[1], []).append([int(found[2]), left.pop(name)])
    rough = {name: left.pop(f"rough_{name}", None) for name in ("tau", "phi", "host")}
    noise = {name: left.pop(name, None) for name in ("tau", "phi", "host")}
    noise |= {name: left.pop(name) for name in ("clip", "arm_clip") if name in left}
    return {
        "windows": left.pop("windows", 0),
        "noise": noise,
        "rough": rough,
        "kappa": {channel: sorted(nodes, key=itemgetter(0)) for channel, nodes in kappa.items()},
        **left,
    }
