"""Progress of a running canary: a live table in a terminal, plain lines elsewhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType

from rich.console import Console
from rich.live import Live

from canary.judge.wording import UNDECIDED
from canary.model import Event, Judgement, Recording, Verdict
from canary.policy import Policy
from canary.report import render_terminal
from canary.report.findings import share
from canary.rollout.ports import Observer


class Observers:
    """Several observers of one canary. If one fails to write, the others still do."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def event(self, event: Event) -> None:
        self._each(lambda observer: observer.event(event))

    def look(self, recording: Recording, judgements: Sequence[Judgement]) -> None:
        self._each(lambda observer: observer.look(recording, judgements))

    def _each(self, show: Callable[[Observer], None]) -> None:
        failed: OSError | None = None
        for observer in self._observers:
            try:
                show(observer)
            except OSError as error:
                failed = error
        if failed is not None:
            raise failed


STYLES = {"warning": "yellow", "end": "bold", "step": "bold", "promoted": "bold green"}
REPEATED = re.compile(rf" {UNDECIDED} after [^:]+(: )?")
"""How the sentence of a metric ends, which says the same as the beginning of the line."""

NOT_YET = "PASS at the end of the last step"
"""What a look without harm means: a later one may still find some."""


class Display:
    """Prints events, with the newest judgement below them."""

    def __init__(
        self, policy: Policy, console: Console, now: Callable[[], float] = time.time
    ) -> None:
        self._policy = policy
        self._now = now
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Display:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def event(self, event: Event) -> None:
        moment = datetime.fromtimestamp(event.time, UTC).strftime("%H:%M:%S")
        style = STYLES.get(event.kind, "")
        self._console.print(
            f"{moment}  {event.kind:<10} {event.sentence}",
            style=style,
            markup=False,
            highlight=False,  # its patterns take minutes for a line of megabytes
            soft_wrap=True,
        )

    def look(self, recording: Recording, judgements: Sequence[Judgement]) -> None:
        if self._live is not None:
            table = render_terminal(self._policy, recording, judgements, live=True)
            self._live.update(table, refresh=True)
            return
        last = judgements[-1]
        kind, sentence = "watching", f"{last.reason}. {NOT_YET}"
        if last.verdict is Verdict.FAIL:
            kind, sentence = str(last.verdict), last.reason
        elif last.verdict is Verdict.INCONCLUSIVE:
            sentence = REPEATED.sub(" ", last.reason).rstrip() + _evidence(last)
        self.event(Event(int(self._now()), kind, sentence))


def _evidence(judgement: Judgement) -> str:
    """Return the progress of each undecided metric to the verdict that it leans to."""
    leaning: dict[Verdict, list[str]] = {Verdict.PASS: [], Verdict.FAIL: []}
    for one in judgement.findings:
        if one.verdict is Verdict.INCONCLUSIVE and one.effect is not None and not one.muted:
            harmful = one.towards_fail > one.towards_pass
            progress = share(max(one.towards_pass, one.towards_fail))
            leaning[Verdict.FAIL if harmful else Verdict.PASS].append(f"{one.metric} {progress} %")
    parts = [f"for {verdict} {', '.join(shares)}" for verdict, shares in leaning.items() if shares]
    return f" Evidence so far: {'; '.join(parts)}." if parts else ""
