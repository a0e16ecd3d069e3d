"""Calibrations: the noise of an environment as a rehearsal learned it, and their file.

A calibration carries a fingerprint of where it was learned, so that it is never used elsewhere. The
file is JSON with a version; damage, or another program's file, is named in a sentence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from canary.errors import CalibrationError
from canary.reading import CALIBRATION, read_json, read_text

VERSION = 1
PLAIN_CLIP = 2.5
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)

Size = Annotated[float, Field(ge=0, le=1e6)]
Periods = Annotated[int, Field(ge=1, le=10_000_000)]
Clip = Annotated[float, Field(ge=1, le=1e6)]
"""A smaller limit would hide all differences, so a PASS would mean nothing."""
Kappa = Annotated[
    tuple[tuple[Periods, Annotated[float, Field(ge=1, le=100)]], ...], Field(max_length=1_000)
]
"""The ratio of the actual to the theoretical width of a channel's z on equal arms, by ascending
length in periods."""


@dataclass(frozen=True, slots=True)
class MeasuredNoise:
    """Noise of the differences between two equal arms.

    Attributes:
        tau, phi: its size in one period, and the correlation of neighbouring periods.
        host: the lasting difference between the arms.
        clip, arm_clip: limits of outliers, of the differences and of each arm; None: no limit.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    tau: Size
    phi: Annotated[float, Field(gt=-1, lt=1)]
    host: Size
    clip: Clip = PLAIN_CLIP
    arm_clip: Clip | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """The noise of one metric, learned from windows of equal arms.

    Attributes:
        windows: how many independent windows it is worth.
        noise, rough: without and with bursts.
        kappa: by channel.
        rank_lean: bias of ranks to the candidate's side, per square root of a period (counts only).
        dense: blocks of counts that a period completes (counts only).
        drift_host: by how much the slopes of equal arms differ (levels only).
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    windows: Annotated[int, Field(ge=0, le=1_000_000)]
    noise: MeasuredNoise
    rough: MeasuredNoise
    kappa: Mapping[str, Kappa] = field(default_factory=dict)
    rank_lean: Annotated[float, Field(ge=-10, le=10)] = 0.0
    dense: Annotated[float, Field(ge=0, le=1)] | None = None
    drift_host: Size | None = None


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The source and metrics that a calibration was learned from, or is used for.

    Attributes:
        period: in seconds.
        source: its kind, as ``cloudwatch``.
        hosts: of the live release; None if unknown.
        metrics: by name, how each is measured.
        groups: how many hosts each arm had.
        share: of both arms' traffic that the candidate had.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    period: Periods
    source: str
    hosts: Periods | None
    metrics: Mapping[str, str]
    groups: tuple[Periods, Periods] = (1, 1)
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """The learned noise by metric; empty if nothing was learned."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    metrics: Mapping[str, Learned] = field(default_factory=dict)
    fingerprint: Fingerprint | None = None

    def get(self, metric: str) -> Learned | None:
        """Return the learned noise of one metric, or None."""
        return self.metrics.get(metric)


_CALIBRATION = TypeAdapter(Calibration)


def dump_calibration(calibration: Calibration, path: Path) -> None:
    """Write ``calibration`` to ``path``."""
    document = {"version": VERSION, "calibration": _CALIBRATION.dump_python(calibration)}
    path.write_text(json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n")


def load_calibration(path: Path) -> Calibration:
    """Read the calibration at ``path``; empty if there is no file.

    Raises:
        CalibrationError: it is damaged, or no calibration of this version.
    """
    if not path.exists():
        return Calibration()
    try:
        document = read_json(read_text(path, CALIBRATION))
    except (OSError, ValueError) as error:
        raise _unusable(path, f"cannot be read: {error}") from error
    if not isinstance(document, dict) or "calibration" not in document:
        raise _unusable(
            path, "is not a calibration, or was written by an earlier version of canary"
        )
    if document.get("version") != VERSION:
        raise _unusable(path, f"has version {document.get('version')!r}, not {VERSION}")
    return _checked(path, document["calibration"])


def _checked(path: Path, content: Any) -> Calibration:
    try:
        found = _CALIBRATION.validate_json(json.dumps(content))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "it"
        raise _unusable(path, f"is damaged: {where}: {fault['msg'].lower()}") from error
    for name, learned in found.metrics.items():
        for channel, nodes in learned.kappa.items():
            lengths = [length for length, _ in nodes]
            if not lengths or lengths != sorted(set(lengths)):
                raise _unusable(path, f"is damaged: {name}.kappa.{channel} does not ascend")
    return found


def _unusable(path: Path, why: str) -> CalibrationError:
    env = path.parent.name
    return CalibrationError(
        f"The calibration {path} {why}. Remove it, or write it again: canary rehearse --env {env}"
    )
