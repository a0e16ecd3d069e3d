"""The shop without its instance metrics, to see what those cost."""

from __future__ import annotations

from app.settings import read_settings
from app.wsgi import Envelope, create_app


def nothing(*_: object) -> None:
    """Take the place of the recording of a request."""


def measured() -> Envelope:
    return create_app(read_settings())  # type: ignore[return-value]


def unmeasured() -> Envelope:
    app = measured()
    app._record = nothing  # type: ignore[assignment]
    return app
