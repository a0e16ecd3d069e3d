"""The request for a canary, and everything it works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from canary.environment import Colours
from canary.learned import Calibration
from canary.model import Event
from canary.policy import Policy
from canary.rollout.lease import Keeper
from canary.rollout.mark import Mark, Stage
from canary.rollout.outcome import Ending
from canary.rollout.ports import Ports
from canary.rollout.progress import Progress
from canary.rollout.timing import Timing
from canary.state.base import Live


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Attributes:
        name: the canary's name; names sort by time.
        candidate, baseline: git refs. Without a baseline, the live colour keeps its release.
        hold: time limit in seconds for an approval, or for a decision on hold.
        directory: of this canary's files.
        calibration: the noise that canary rehearse learned in this environment, if it ran.
        source: the kind of the metrics source.
    """

    name: str
    environment: str
    colours: Colours
    who: str
    candidate: str
    baseline: str | None = None
    on_inconclusive: Literal["rollback", "hold"] = "rollback"
    on_fail: Literal["rollback", "freeze"] = "rollback"
    hold: float = 3600.0
    approve: Literal["none", "promote", "steps"] = "none"
    bake: float = 0.0
    alarms: tuple[str, ...] = ()
    match: bool = True
    directory: str = ""
    source: str = ""
    calibration: Calibration = field(default_factory=Calibration)


@dataclass(slots=True)
class Context:
    """The request, the policy, the ports, and the events of a canary.

    Attributes:
        values: the placeholders of hooks that are known so far.
        touched: whether a weight may have been raised, so that traffic must be made safe.
        promoting: whether the candidate may have been made live, which may have to be undone.
        meant: the release that was intended to be live before this canary.
        calibration: the part of the request's calibration that fits this canary.
        started: when the first controller of this canary began.
        mark, progress: the stage that the canary has reached, and its data.
        journal: stores the checkpoint, so that the canary can be resumed if this process is killed.
    """

    request: Request
    policy: Policy
    timing: Timing
    ports: Ports
    keeper: Keeper
    values: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    touched: bool = False
    promoting: bool = False
    meant: Live = field(default_factory=lambda: Live(""))
    calibration: Calibration = field(default_factory=Calibration)
    started: float = 0.0
    mark: Mark = field(default_factory=Mark)
    progress: Progress | None = None
    journal: Callable[[Context], None] = lambda _context: None

    def now(self) -> float:
        return self.ports.clock.now()

    def sleep_until(self, moment: float) -> None:
        """Wait, and tell the lease keeper for how long."""
        self.keeper.beat(max(0.0, moment - self.now()))
        self.ports.clock.sleep(max(0.0, moment - self.now()))
        self.keeper.beat()

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        self.sleep_until(self.now() + seconds)

    def say(self, kind: str, sentence: str) -> None:
        """Record an event, and display it."""
        event = Event(int(self.now()), kind, sentence)
        self.events.append(event)
        self.display(lambda: self.ports.observer.event(event))

    def said(self, sentence: str) -> bool:
        """Return whether this sentence was recorded before."""
        return any(event.sentence == sentence for event in self.events)

    def reach(
        self,
        stage: Stage,
        *,
        share: float = 0.0,
        until: float = 0.0,
        ending: Ending | None = None,
    ) -> None:
        """Record that the canary has reached ``stage``, and store its checkpoint."""
        self.mark = Mark(stage, share, until, ending, self.mark.begun)
        self._store()

    def _store(self) -> None:
        """Store the checkpoint. An error here must not end the canary or hold its traffic."""
        try:
            self.journal(self)
        except Exception as error:
            sentence = (
                "If this canary is killed now, it cannot be resumed: its files are not writable"
            )
            if not any(warning.startswith(sentence) for warning in self.warnings):
                self.warn(f"{sentence}: {error}")

    def display(self, show: Callable[[], None]) -> None:
        """Tell the observer. Output that cannot be written must not end a canary."""
        try:
            show()
        except OSError as error:  # a full disk, or the reader has gone
            sentence = f"The output of this canary could not be written: {error}"
            if sentence not in self.warnings:
                self.warnings.append(sentence)

    def warn(self, sentence: str) -> None:
        """Record a problem that does not change the verdict."""
        self.warnings.append(sentence)
        self.say("warning", sentence)

    def hook(self, name: str, **values: str) -> None:
        """Run a hook. Its failure ends the canary unless the policy says continue."""
        if not self.ports.hooks.has(name):
            return
        self.mark.begun.append(name)
        self._store()
        self.say("hook", f"{name} hook starts")
        began = self.now()
        complaint = self.ports.hooks.run(name, {**self.values, **values})
        if complaint:
            self.warn(f"{complaint}; the policy says: continue")
        else:
            self.say("hook", f"{name} hook done after {self.now() - began:.0f} s")
