"""JSON logs on standard error: one line for each event and each request."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from app.settings import Settings

#: The proxy requests these every half second; they would fill the log.
HEALTH_ROUTES = frozenset({"/status", "/ready", "/live", "/metrics"})


class RequestLine(msgspec.Struct):
    time: float
    level: str
    release: str
    colour: str
    method: str
    route: str
    path: str
    status: int
    milliseconds: float
    request_id: str


class JsonFormatter(logging.Formatter):
    """Formats records of ``logging`` like the request lines."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._where = {"release": settings.release, "colour": settings.colour}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            **self._where,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


class RequestLog:
    def __init__(self, settings: Settings) -> None:
        self._enabled = settings.log_requests
        self._release = settings.release
        self._colour = settings.colour
        self._encode = msgspec.json.Encoder().encode

    def request(
        self, environ: Mapping[str, Any], route: str, status: int, seconds: float, request_id: str
    ) -> None:
        if not self._enabled or (route in HEALTH_ROUTES and status < 500):
            return
        line = RequestLine(
            round(time.time(), 3),
            "error" if status >= 500 else "info",
            self._release,
            self._colour,
            environ["REQUEST_METHOD"],
            route,
            environ["PATH_INFO"][:200],
            status,
            round(seconds * 1000, 3),
            request_id,
        )
        sys.stderr.write(self._encode(line).decode() + "\n")


def configure(settings: Settings) -> None:
    """Log everything to standard error as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(settings))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("botocore").setLevel(logging.WARNING)
