"""Everything that another process needs to resume a canary whose controller was killed.

Each look replaces the checkpoint's file as a whole. The file has no judgements, because they follow
from the policy and the recording.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from canary.errors import RecordingError
from canary.model import Arm, Event, Recording, Series
from canary.reading import read_json
from canary.rollout.collect import ProxyCounts
from canary.rollout.context import Context, Request
from canary.rollout.mark import Mark
from canary.rollout.prepare import progress_of
from canary.rollout.progress import Pairing, Progress
from canary.state.base import Live
from canary.traffic.base import Status

VERSION = 1
GONE = "Without it, this canary cannot be resumed: the lease of its weight returns its traffic"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The data of a canary so far, and the values that its next look needs.

    Attributes:
        recording: without events.
        index, began, share, weights, steady: as in the progress.
        end: of the data that was read.
        counters: of the proxy at the newest look, by counter and server.
        counted_since: when the proxy began to count them.
        served: requests, by instance and start of period.
    """

    recording: Recording
    servers: Mapping[str, tuple[Arm, str]]
    matched: str | None
    expected: Mapping[str, str]
    index: int
    began: int
    share: float
    weights: Mapping[str, int]
    steady: frozenset[str]
    end: int
    counters: Mapping[str, Mapping[str, int]]
    counted_since: int | None
    served: Mapping[str, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The progress of a canary at ``time``.

    Attributes:
        lead_in: seconds of the policy's lead-in, which an option may have set.
    """

    time: float
    started: float
    request: Request
    lead_in: int
    mark: Mark
    values: Mapping[str, str]
    meant: Live
    touched: bool
    warnings: tuple[str, ...]
    events: tuple[Event, ...]
    comparison: Comparison | None = None


_CHECKPOINT = TypeAdapter(Checkpoint)


def first(request: Request, lead_in: int, now: float) -> Checkpoint:
    """Return the checkpoint of a canary that has not started yet."""
    return Checkpoint(now, 0.0, request, lead_in, Mark(), {}, Live(""), False, (), ())  # noqa: FBT003


def checkpoint_of(context: Context) -> Checkpoint:
    """Return a canary's checkpoint."""
    progress = context.progress
    return Checkpoint(
        time=context.now(),
        started=context.started,
        request=context.request,
        lead_in=context.policy.lead_in,
        mark=context.mark,
        values=context.values,
        meant=context.meant,
        touched=context.touched,
        warnings=tuple(context.warnings),
        events=tuple(context.events),
        comparison=_comparison(progress) if progress is not None else None,
    )


def _comparison(progress: Progress) -> Comparison:
    return Comparison(
        recording=progress.recording(),
        servers=progress.pairing.servers,
        matched=progress.pairing.matched,
        expected=progress.expected,
        index=progress.index,
        began=progress.began,
        share=progress.share,
        weights=progress.weights,
        steady=progress.steady,
        end=progress.readings.end,
        counters=progress.counted.counters,
        counted_since=progress.counted.since,
        served=progress.counted.served,
    )


def checkpoint_to_text(checkpoint: Checkpoint) -> str:
    """Return a checkpoint as JSON."""
    document = {"version": VERSION, "checkpoint": _CHECKPOINT.dump_python(checkpoint, mode="json")}
    return json.dumps(document, allow_nan=False, separators=(",", ":")) + "\n"


def checkpoint_from_text(text: str, name: str) -> Checkpoint:
    """Return the checkpoint in ``text``; ``name`` is its name in messages.

    Raises:
        RecordingError: it is damaged, or of another version.
    """
    try:
        document: Any = read_json(text)
        version = document["version"]
        content = json.dumps(document["checkpoint"])
    except (ValueError, TypeError, KeyError) as error:
        raise RecordingError(f"{name} is damaged: {error}. {GONE}") from error
    if version != VERSION:
        raise RecordingError(
            f"{name} has version {version!r}, and this canary reads version {VERSION}. Resume it "
            f"with the version of canary that wrote it. {GONE}"
        )
    try:
        return _CHECKPOINT.validate_json(content, strict=False)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise RecordingError(f"{name} is damaged: {where}: {fault['msg']}. {GONE}") from error


def log_of(saved: Checkpoint, written: Sequence[Event]) -> tuple[Event, ...]:
    """Return all events; the newest ones may have been written after the checkpoint."""
    return tuple(written) if len(written) > len(saved.events) else saved.events


def restore(context: Context, saved: Checkpoint, log: Sequence[Event] = ()) -> None:
    """Restore in a new context everything that the killed process knew, except the judgements.

    ``log`` are the events that were written, including those after the checkpoint.
    """
    context.started = saved.started
    context.mark = saved.mark
    context.values |= saved.values
    context.meant = saved.meant
    context.touched = saved.touched
    context.warnings += saved.warnings
    context.events += log_of(saved, log)
    if saved.comparison is not None:
        context.calibration = saved.comparison.recording.calibration
        context.progress = _progress(context, saved.comparison)


def _progress(context: Context, saved: Comparison) -> Progress:
    recording = saved.recording
    servers = dict(saved.servers)
    pairing = Pairing(recording.baseline, recording.candidate, servers, saved.matched)
    progress = progress_of(context, pairing, dict(saved.expected), saved.steady)
    progress.index, progress.began, progress.share = saved.index, saved.began, saved.share
    progress.weights = saved.weights
    counters = {metric.name for metric in context.policy.metrics if metric.counter is not None}
    read = [series for series in recording.series if series.metric not in counters]
    progress.readings.restore(tuple(read), saved.end)
    _count(progress.counted, saved, [one for one in recording.series if one.metric in counters])
    progress.steps += recording.steps
    progress.looks += recording.looks
    progress.lead_in = recording.lead_in
    return progress


def _count(counted: ProxyCounts, saved: Comparison, series: list[Series]) -> None:
    status = Status("", {}, {}, {}, counters=saved.counters, started=saved.counted_since)
    served = {instance: dict(periods) for instance, periods in saved.served.items()}
    counted.restore(status, served, saved.recording.split, series)
