"""Error responses: RFC 9457 problems, raised anywhere below the routes."""

from __future__ import annotations

import http

import msgspec

PROBLEM_JSON = "application/problem+json"


class ProblemDocument(msgspec.Struct, omit_defaults=True):
    """A problem of RFC 9457. ``type`` is always about:blank, so ``title`` is the status phrase."""

    status: int
    title: str
    detail: str
    field: str = ""


class ProblemError(Exception):
    """The request cannot be served. The error says why, and names the wrong field."""

    def __init__(self, status: int, detail: str, field: str = "", retry_after: int = 0) -> None:
        """``retry_after`` (seconds) is sent as a header when it is not 0."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.retry_after = retry_after

    def document(self) -> bytes:
        title = http.HTTPStatus(self.status).phrase
        return msgspec.json.encode(ProblemDocument(self.status, title, self.detail, self.field))


class StoreUnavailableError(ProblemError):
    """The database does not respond. The client may retry, here or on another instance."""

    def __init__(self, reason: object) -> None:
        self.reason = str(reason)
        super().__init__(503, "The store does not respond; try again.", retry_after=1)
