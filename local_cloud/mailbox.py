"""A directory for all e-mail: one .eml file for each message."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path


@dataclass(frozen=True)
class Mailbox:
    directory: Path
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def deliver(self, topic: str, address: str, subject: str, text: str) -> None:
        """Write one message atomically."""
        now = datetime.now(UTC)
        message = EmailMessage()
        message["From"] = "AWS Notifications <no-reply@sns.amazonaws.com>"
        message["To"] = address
        message["Subject"] = " ".join(subject.split())
        message["Date"] = format_datetime(now)
        message["X-Topic-Arn"] = topic
        message.set_content(text)
        self.directory.mkdir(parents=True, exist_ok=True)
        stem = f"{now:%Y%m%dT%H%M%S.%f}-{next(self._numbers)}"
        partial = self.directory / f".{stem}.partial"
        partial.write_bytes(bytes(message))
        partial.rename(self.directory / f"{stem}.eml")
