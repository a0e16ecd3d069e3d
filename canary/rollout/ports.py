"""What a canary needs from outside. All of it is injected, so that tests run in no time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from canary.artifact import Published
from canary.model import Event, Judgement, Recording
from canary.sources.base import Source
from canary.state.base import State
from canary.traffic.base import Traffic


class Interruption(BaseException):
    """Somebody asked the canary to stop; the message says how. No ``except Exception`` eats it."""


class Clock(Protocol):
    """Wall-clock time, waiting for it, and spans that no correction of the time can change."""

    def now(self) -> float: ...
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class Background(Protocol):
    """Something that calls ``tick`` every few seconds while the canary does other things."""

    def start(self, tick: Callable[[], None], interval: float) -> None: ...
    def stop(self) -> None: ...


class HookRunner(Protocol):
    """The commands that the policy names."""

    def has(self, name: str) -> bool: ...

    def run(self, name: str, values: Mapping[str, str]) -> str:
        """Run a hook; return nothing, or what went wrong where the policy says to continue.

        Raises:
            HookError: it failed, and the policy says that a failure aborts.
        """
        ...


class Observer(Protocol):
    """Whoever watches: the terminal, a log, a test."""

    def event(self, event: Event) -> None: ...
    def look(self, recording: Recording, judgements: Sequence[Judgement]) -> None: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside of one canary.

    Attributes:
        judge: the verdict on a recording, seeing no data after the given time.
        publish: turns a git ref into a release in the bucket.
        shield: from its call on, signals wait; used while traffic is made safe.
        unshield: from its call on, a signal interrupts, also one that waited.
    """

    clock: Clock
    traffic: Traffic
    source: Source
    state: State
    hooks: HookRunner
    background: Background
    observer: Observer
    judge: Callable[[Recording, int], Judgement]
    publish: Callable[[str], Published]
    shield: Callable[[], None]
    unshield: Callable[[], None]
