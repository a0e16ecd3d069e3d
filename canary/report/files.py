"""Files embedded in the page as ``data:`` links: recording, policy, datapoints."""

from __future__ import annotations

import base64
import csv
import io
import json

from canary.errors import RecordingError
from canary.model import Recording
from canary.policy import Policy
from canary.recording import recording_to_text
from canary.report import policy_view
from canary.report.json import plain
from canary.report.limits import MOST_BYTES, MOST_DATAPOINTS, datapoints

ROW = 40
"""Bytes of a datapoint's row, besides its names."""
COLUMNS = ("metric", "arm", "instance", "time", "value", "samples")


def downloads(policy: Policy, recording: Recording) -> tuple[tuple[str, str, str], ...]:
    """Return each file as (name, label, link); a large recording's datapoints are left out."""
    found = [("policy.yml", "Policy (YAML)", _link("yaml", policy_view.as_text(policy)))]
    if not too_large(recording):
        found[:0] = [
            ("recording.json", "Recording (JSON)", _link("json", as_recording(recording))),
            ("datapoints.csv", "Datapoints (CSV)", _link("csv", as_csv(recording))),
        ]
    return tuple(found)


def too_large(recording: Recording) -> str:
    """Return that the recording is too large for the page, or an empty string."""
    count = datapoints(recording)
    names = max((len(one.instance) + len(one.metric) for one in recording.series), default=0)
    if count <= MOST_DATAPOINTS and count * (names + ROW) <= MOST_BYTES:
        return ""
    return (
        f"The recording, with {count:,} datapoints, is too large for this page. canary run keeps "
        "it beside the report as recording.json; canary analyze writes it with --record."
    )


def as_recording(recording: Recording) -> str:
    """Return the recording as `canary replay` reads it; a damaged one as it is."""
    try:
        return recording_to_text(recording)
    except RecordingError:
        return json.dumps(plain(recording), sort_keys=True, allow_nan=False)


def as_csv(recording: Recording) -> str:
    """Return every datapoint as a row; a missing value is an empty cell.

    >>> from canary.model import Arm, Release, Series
    >>> one = Series("cpu", Arm.BASELINE, "i-1", (60,), (0.25,), (None,))
    >>> release = Release("v1", "abc", "blue")
    >>> print(as_csv(Recording("local", 60, release, release, (), (one,))))
    metric,arm,instance,time,value,samples
    cpu,baseline,i-1,60,0.25,
    <BLANKLINE>
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for series in recording.series:
        for point in zip(series.times, series.values, series.samples, strict=True):
            writer.writerow((series.metric, series.arm, series.instance, *point))
    return text.getvalue()


def _link(kind: str, text: str) -> str:
    media = {"json": "application/json", "csv": "text/csv", "yaml": "application/yaml"}[kind]
    return f"data:{media};base64,{base64.b64encode(text.encode()).decode()}"
