"""Time, proxy, source, memory and hooks of a simulated world.

Every call is counted and can fail, before or after its effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from canary.errors import CanaryError, TrafficError
from canary.model import Arm, Release, Series
from canary.policy import Policy
from canary.simulation.clock import Clock
from canary.sources.base import Query, periods
from canary.traffic.base import Drill, Status
from tests.support.policies import SHORT

START = 1_800_000_000.0
SERVERS = ("blue-1", "green-1")
POLICY = Policy.model_validate(SHORT)


@dataclass
class Troubles:
    """The calls that fail: one by number, or all of one kind from a number on.

    ``late`` raises after the effect of the call, as when a response is lost.
    """

    once: dict[int, BaseException] = field(default_factory=dict)
    lasting: tuple[str, int, CanaryError] | None = None
    late: bool = False
    calls: list[str] = field(default_factory=list)

    def meet(self, name: str, effect: Callable[[], object]) -> None:
        """Count the call, run ``effect``, and raise if this call has to fail."""
        number = len(self.calls)
        self.calls.append(name)
        error: BaseException | None = self.once.get(number)
        if self.lasting and name.startswith(self.lasting[0]) and number >= self.lasting[1]:
            error = self.lasting[2]
        if error is None:
            effect()
            return
        if self.late:
            effect()
        raise error


class Time(Clock):
    """Time that passes only when something waits. Background threads tick meanwhile."""

    def __init__(self, troubles: Troubles) -> None:
        super().__init__(START, pace=0.0)
        self.troubles = troubles
        self.passing: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.troubles.meet("clock.sleep", lambda: self.pass_time(seconds))

    def pass_time(self, seconds: float) -> None:
        super().sleep(seconds)
        self.passing()


class Proxy:
    """One server per colour, and a lease that expires by itself.

    ``lost``: the share of traffic of live servers that are down. ``anew``: by how much the weights
    differ after they were set again for the servers that are up.
    """

    def __init__(self, time: Time, troubles: Troubles) -> None:
        self.time = time
        self.troubles = troubles
        self.live = "blue"
        self.candidate = ""
        self.share = 0.0
        self.until: float | None = None
        self.down: set[str] = set()
        self.unasked: set[str] = set()
        self.lost = 0.0
        self.anew = 0
        self.fallback: tuple[str, ...] = ()
        self.releases: dict[str, str] = {}
        self.clocks: dict[str, int] = {}
        self.metrics_until: dict[str, int] = {}
        self.history: list[tuple[float, float]] = []
        self.drill: Drill | None = None
        self.can_drill = True

    def expire(self) -> None:
        if self.until is not None and self.time.now() >= self.until:
            self.reset()

    def reset(self) -> None:
        self.share, self.until = 0.0, None

    def describe(self) -> str:
        return "simulated proxy"

    def status(self) -> Status:
        self.troubles.meet("traffic.status", self.expire)
        return self.seen()

    def seen(self) -> Status:
        other = "green" if self.live == "blue" else "blue"
        moved = self.lost if self.share else 0.0
        shares = {f"{self.live}-1": 1 - self.share - moved, f"{other}-1": self.share + moved}
        elapsed = self.time.now() - START
        asked = {name: share for name, share in shares.items() if name not in self.unasked}
        return Status(
            live=self.live,
            weights={
                f"{self.live}-1": round(256 * (1 - self.share)) - self.anew,
                f"{other}-1": round(256 * self.share),
            },
            shares=shares,
            states={name: "DOWN" if name in self.down else "UP" for name in SERVERS},
            fallback=self.fallback,
            lease_until=self.until,
            drill=self.drill if self.until is not None else None,
            can_drill=self.can_drill,
            releases=dict(self.releases),
            clocks=dict(self.clocks),
            metrics_until=dict(self.metrics_until),
            counters={"requests": {name: int(elapsed * 50 * s) for name, s in asked.items()}},
        )

    def set(self, candidate: str, share: float, lease: int, matched: str | None = None) -> Status:
        assert matched is None, "one server per colour cannot be matched"

        def effect() -> None:
            self.expire()
            self.candidate, self.share, self.until = candidate, share, self.time.now() + lease
            self.history.append((self.time.now(), share))

        self.troubles.meet("traffic.set", effect)
        return self.seen()

    def renew(self, lease: int) -> None:
        self.expire()
        if self.until is None:
            raise TrafficError("There is no lease to renew")
        self.troubles.meet("traffic.renew", lambda: self.leased(lease))

    def leased(self, lease: int) -> None:
        self.until = self.time.now() + lease

    def release(self) -> Status:
        self.troubles.meet("traffic.release", self.reset)
        return self.seen()

    def promote(self, colour: str, *, leased: bool = False) -> Status:
        def effect() -> None:
            self.expire()
            if leased and colour != self.live and self.until is None:
                raise TrafficError(f"{colour} has no lease")
            self.live = colour
            self.reset()

        self.troubles.meet("traffic.promote", effect)
        return self.seen()

    def standby(self, colour: str, *, may: bool) -> Status:
        def effect() -> None:
            self.fallback = (f"{colour}-1",) if may else ()

        self.troubles.meet("traffic.standby", effect)
        return self.seen()


class Metrics:
    """Sends one latency per instance and period."""

    own_clocks = False

    def __init__(self, troubles: Troubles) -> None:
        self.troubles = troubles
        self.sends = True
        self.quiet: set[str] = set()
        self.reads: list[int] = []

    def describe(self) -> str:
        return "simulated source"

    def found_by(self, colour: str) -> str:
        return f"It simulates every host of {colour}"

    def names(self, colour: str) -> tuple[str, ...]:
        assert colour
        return ("latency",)

    def instances(self, colour: str, window: tuple[int, int] | None = None) -> tuple[str, ...]:
        assert window is None, "a canary compares the instances of now"
        self.troubles.meet("source.instances", lambda: None)
        return (f"i-{colour}",)

    def read(
        self, queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        self.troubles.meet("source.read", lambda: self.reads.append(end))
        axis = periods(start, end, POLICY.period)
        return tuple(
            Series(query.metric, arm, name, axis, (20.0,) * len(axis), (50.0,) * len(axis))
            for arm, release in arms.items()
            for name in release.instances
            for query in queries
            if self.sends and name not in self.quiet
        )


class Commands:
    """Hooks that only record their calls."""

    def __init__(self, troubles: Troubles) -> None:
        self.troubles = troubles
        self.ran: list[tuple[str, Mapping[str, str]]] = []
        self.complaint = ""
        self.during: Callable[[], object] = lambda: None

    def has(self, name: str) -> bool:
        return name != "load"

    def run(self, name: str, values: Mapping[str, str]) -> str:
        self.during()
        self.troubles.meet(f"hooks.{name}", lambda: self.ran.append((name, dict(values))))
        return self.complaint
