"""The interfaces that a canary needs from outside. They are injected, so tests can replace them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from canary.artifact import Published
from canary.model import Event, Judgement, Recording
from canary.sources.base import Source
from canary.state.base import State
from canary.traffic.base import Traffic


class Clock(Protocol):
    """Wall-clock time, waiting for it, and a monotonic clock."""

    def now(self) -> float: ...
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class Background(Protocol):
    """Calls ``tick`` every few seconds in the background."""

    def start(self, tick: Callable[[], None], interval: float) -> None: ...
    def stop(self) -> None: ...


class HookRunner(Protocol):
    """The commands that the policy names."""

    def has(self, name: str) -> bool: ...

    def run(self, name: str, values: Mapping[str, str]) -> str:
        """Run a hook; return its failure if the policy says continue, or an empty string.

        Raises:
            HookError: it failed, and the policy says abort.
        """
        ...


class Observer(Protocol):
    """Receives the events and judgements of a canary."""

    def event(self, event: Event) -> None: ...
    def look(self, recording: Recording, judgements: Sequence[Judgement]) -> None: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside one canary.

    Attributes:
        judge: judges a recording without data after the given time.
        publish: builds a git ref and stores it in the bucket.
        shield: once called, signals wait; used while traffic is made safe.
        unshield: once called, a signal interrupts again, including one that waited.
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
