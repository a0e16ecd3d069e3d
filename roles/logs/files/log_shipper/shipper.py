"""Sends entries from the journal to CloudWatch: each at least once, in order."""

from __future__ import annotations

import logging
from typing import Protocol

from log_shipper.api import RefusedError
from log_shipper.journal import Entry

LOG = logging.getLogger(__name__)
NO_STREAM = "ResourceNotFoundException"
EXISTS = "ResourceAlreadyExistsException"
NEVER = {"InvalidParameterException", "DataAlreadyAcceptedException", "SerializationException"}
"""Reasons after which AWS would refuse the same entries again."""


class Calls(Protocol):
    def call(self, action: str, **parameters: object) -> None: ...


class Source(Protocol):
    def read(self) -> list[Entry]: ...
    def move(self, position: str) -> None: ...


class Shipper:
    """Sends the entries of one host to one stream."""

    def __init__(self, api: Calls, journal: Source, group: str, stream: str) -> None:
        self.api = api
        self.journal = journal
        self.place = {"logGroupName": group, "logStreamName": stream}
        self.trouble = ""

    def ship(self) -> bool:
        """Send the next batch; return whether there was one that AWS accepted."""
        entries = self.journal.read()
        if not entries:
            return False
        try:
            self._send(entries)
        except (RefusedError, OSError) as error:
            return self._failed(error)
        if self.trouble:
            LOG.info("AWS takes entries again")
        self.trouble = ""
        self.journal.move(entries[-1].position)
        return True

    def _send(self, entries: list[Entry]) -> None:
        try:
            self._put(entries)
        except RefusedError as error:
            if error.code in NEVER:
                LOG.error("%d entries are lost: %s", len(entries), error)
            elif error.code == NO_STREAM:
                self._create_stream()
                self._put(entries)
            else:
                raise

    def _put(self, entries: list[Entry]) -> None:
        ordered = sorted(entries, key=lambda entry: entry.timestamp)
        events = [{"timestamp": entry.timestamp, "message": entry.text} for entry in ordered]
        self.api.call("PutLogEvents", **self.place, logEvents=events)

    def _create_stream(self) -> None:
        try:
            self.api.call("CreateLogStream", **self.place)
        except RefusedError as error:
            if error.code != EXISTS:
                raise

    def _failed(self, error: Exception) -> bool:
        """Log why entries wait, once per kind of failure, because each line adds an entry."""
        reason = f"{type(error).__name__} {getattr(error, 'code', '')}"
        if reason != self.trouble:
            LOG.warning("Entries wait in the journal: %s", error)
        self.trouble = reason
        return False
