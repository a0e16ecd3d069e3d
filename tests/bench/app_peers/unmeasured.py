"""The shop without its instance metrics, to measure their cost."""

from __future__ import annotations

from app.metrics.recorder import Recorder
from app.settings import read_settings
from app.wsgi import Envelope, create_app


def nothing(*_: object) -> None:
    """Replace the recording of requests, hits and misses."""


def measured() -> Envelope:
    return create_app(read_settings())  # type: ignore[return-value]


def unmeasured() -> Envelope:
    Recorder.record = Recorder.count = nothing  # type: ignore[assignment,method-assign]
    return measured()
