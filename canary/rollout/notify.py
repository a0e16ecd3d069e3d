"""Messages about a canary: its start, what waits for a person, its end, and what went wrong."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from canary.model import Event, Judgement, Recording

WAITING = ("approval", "hold")
TROUBLE = "warning"
MOST_TROUBLES = 10
"""A source that fails again and again must not flood a channel."""
PATIENCE = 10.0
"""Seconds to wait for unsent messages when the canary has ended."""

Send = Callable[[str, str], bool]


class Notifier:
    """An observer that sends messages from its own thread, so that the canary never waits for one.

    ``earlier`` are the events that an earlier process has already sent.
    """

    def __init__(
        self,
        send: Send,
        about: str,
        complain: Callable[[str], None],
        earlier: Sequence[Event] = (),
    ) -> None:
        self._send = send
        self._about = about
        self._complain = complain
        self._started = bool(earlier)
        self._troubles = {event.sentence for event in earlier if event.kind == TROUBLE}
        self._messages: queue.Queue[tuple[str, str] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def event(self, event: Event) -> None:
        if not self._started:
            self._started = True
            self._tell("started", event.sentence)
        if event.kind in WAITING:
            self._tell("waits for a decision", event.sentence)
        elif event.kind == "end":
            self._tell(event.sentence.partition(":")[0], event.sentence)
        elif event.kind == TROUBLE and event.sentence not in self._troubles:
            self._troubles.add(event.sentence)
            if len(self._troubles) <= MOST_TROUBLES:
                self._tell("warning", event.sentence)

    def look(self, recording: Recording, judgements: Sequence[Judgement]) -> None:
        """Send nothing, because most looks change nothing."""

    def close(self) -> None:
        """Wait a moment for the last messages."""
        self._messages.put(None)
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            self._complain(f"Not all messages were sent within {PATIENCE:.0f} s")

    def _tell(self, what: str, sentence: str) -> None:
        self._messages.put((f"{self._about}: {what}", sentence))

    def _work(self) -> None:
        while (message := self._messages.get()) is not None:
            try:
                sent = self._send(*message)
            except Exception as error:  # a library's error must not end the other messages
                self._complain(f"A message could not be sent ({message[0]}): {error}")
                continue
            if not sent:
                self._complain(f"A message was not accepted ({message[0]})")
