"""The commands of shop-traffic. If a change fails, all traffic returns to the live colour."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from shop_traffic import drill as drills
from shop_traffic import plan, ring
from shop_traffic.config import Config, RefusedError, Server
from shop_traffic.drill import Drill
from shop_traffic.lease import Timer, checked
from shop_traffic.memory import Lease, Memory
from shop_traffic.runtime import FALLBACK, Runtime, counters, differs, times, wait


class Traffic:
    def __init__(self, config: Config, runtime: Runtime, memory: Memory, timer: Timer) -> None:
        self.config = config
        self.runtime = runtime
        self.memory = memory
        self.timer = timer

    def status(self) -> dict[str, Any]:
        """Return the intended and the real state. Counters start at the time ``since``."""
        now = self.runtime.read()
        lease = self.memory.lease
        weights = {server.name: now[server.name].weight for server in self.config.servers}
        circle = ring.points(self.config.servers)
        serving = {name: weight if now[name].up else 0 for name, weight in weights.items()}
        return {
            "live": self.live,
            "candidate": lease.candidate if lease else None,
            "lease": {"until": lease.until if lease else None},
            "fallback": list(self.memory.fallback),
            "weights": weights,
            "shares": {name: round(s, 5) for name, s in ring.shares(circle, serving).items()},
            "states": {server.name: now[server.name].state for server in self.config.servers},
            "since": self.runtime.started(),
            "drill": asdict(running[1]) if (running := drills.running(self.runtime)) else None,
            **counters(self.config.servers, now),
            **times(self.config.servers, self.runtime.times()),
        }

    def set(
        self,
        candidate: str,
        share: float,
        lease: float,
        baseline: str | None = None,
        drill: Drill | None = None,
    ) -> dict[str, Any]:
        """Give ``candidate`` a share of traffic for as long as the lease is renewed."""
        checked(lease)
        with self.memory.locked():
            wanted = replace(self.wanted(candidate, share, baseline), drill=drill)
            if drill is None:  # a drill installs nothing, so the standby may stay the fallback
                self.distrust(candidate)
            # The timer that returns traffic and ends the drill starts before traffic moves.
            self.arm(wanted, lease)
            self.apply(wanted)
        return self.status()

    def renew(self, lease: float) -> dict[str, Any]:
        """Renew the lease, and the weights if other live servers are up than before."""
        checked(lease)
        with self.memory.locked():
            held = self.memory.lease
            if held is None:
                raise RefusedError(f"There is no lease to renew: {self.live} carries all traffic.")
            now = self.runtime.read()
            changed = [name for name, weight in held.weights.items() if differs(now, name, weight)]
            if changed:
                found = {name: now[name].weight if name in now else None for name in changed}
                raise RefusedError(
                    f"The weights are not those that were set: {found}. Set them again."
                )
            up = [server.name for server in self.config.of(self.live) if now[server.name].up]
            wanted = plan.rebalanced(self.config.servers, self.live, held, up)
            self.arm(wanted, lease)
            if wanted is not held:
                self.apply(wanted)
        return {"lease": {"until": self.memory.lease.until}}  # type: ignore[union-attr]

    def release(self, expired: str | None = None) -> dict[str, Any]:
        """Return all traffic to the live colour. A timer ends only its own lease."""
        with self.memory.locked():
            held = self.memory.lease  # None if its file is damaged
            if expired is None or held is None or held.unit == expired:
                self.give_back()
        return self.status()

    def promote(self, colour: str, *, leased: bool = False) -> dict[str, Any]:
        """Make ``colour`` live; with ``leased``, only while it has its lease.

        The previous live colour becomes its fallback. If ``colour`` was the fallback itself, this
        is a rollback: the previous live colour has failed, and nothing falls back to it.
        """
        with self.memory.locked():
            names = self.up(colour)
            live, trusted = self.live, self.memory.fallback
            if leased:
                plan.require_lease(self.memory.lease, colour, live)
            drills.stop(self.runtime)  # must precede the step that may give its colour all traffic
            if colour != live:
                rollback = any(name in trusted for name in names)
                old = [] if rollback else [server.name for server in self.config.of(live)]
                states = plan.fallback_states(self.config.servers, {*old, *names})
                self.runtime.apply(self.all_to(colour), states)
                # In this order, a crash in between leaves a live colour that served before.
                self.memory.fallback, self.memory.live = old, colour
            self.give_back()
        return self.status()

    def drain(self, name: str, patience: float = 10.0) -> dict[str, Any]:
        """Drain one server, and wait until its last request is finished."""
        server = self.config.server(name)
        with self.memory.locked():
            self.refuse_last(server)
            self.memory.fallback = [other for other in self.memory.fallback if other != name]
            self.runtime.apply({}, {name: "drain", name + FALLBACK: "maint"})
        wait(
            lambda: self.runtime.read()[name].sessions == 0,
            patience,
            f"{name} still has open requests",
        )
        return self.status()

    def ready(self, name: str, patience: float = 10.0, *, fallback: bool = False) -> dict[str, Any]:
        """Return one server to traffic, and wait until HAProxy reports it healthy.

        With ``fallback``, the server runs the live release, and may replace the live colour.
        """
        server = self.config.server(name)
        with self.memory.locked():
            if fallback and server.colour != self.live:
                self.memory.fallback = {*self.memory.fallback, name}
            self.runtime.apply({}, {name: "ready", **self.fallback_states([server])})
        wait(lambda: self.runtime.read()[name].up, patience, f"{name} does not become healthy")
        return self.status()

    def standby(self, colour: str, *, may: bool) -> dict[str, Any]:
        """Allow or forbid an idle colour to replace the live one if that goes down."""
        servers = self.config.of(colour)
        with self.memory.locked():
            held = self.memory.lease
            if colour == self.live or (held is not None and held.candidate == colour):
                raise RefusedError(f"{colour} carries traffic: a standby is an idle colour.")
            names = {server.name for server in servers}
            others = {name for name in self.memory.fallback if name not in names}
            if may:
                self.up(colour)
            self.memory.fallback = others | names if may else others
            self.runtime.apply({}, self.fallback_states())
        return self.status()

    # ---- helpers -------------------------------------------------------------------

    @property
    def live(self) -> str:
        return self.memory.live_among(self.config.colours)

    def wanted(self, candidate: str, share: float, baseline: str | None) -> Lease:
        """Return a lease for a share, with weights for the servers that are up."""
        live = self.live
        if candidate == live:
            raise RefusedError(f"{candidate} is live; the candidate is the other colour.")
        up = (*self.up(candidate), *self.up(live))
        lease = Lease(candidate, share, 0, "", {}, up, baseline)
        return replace(lease, weights=plan.weights(self.config.servers, live, lease))

    def apply(self, lease: Lease) -> None:
        """Set the weights of a lease that is armed. If that fails, return all traffic."""
        try:
            self.drill(lease)
            self.runtime.apply(lease.weights, self.fallback_states())
        except RefusedError:
            with contextlib.suppress(RefusedError):
                self.give_back()
            raise

    def up(self, colour: str) -> tuple[str, ...]:
        now = self.runtime.read()
        servers = self.config.of(colour)
        found = tuple(server.name for server in servers if now[server.name].up)
        if not found:
            states = ", ".join(f"{s.name} is {now[s.name].state}" for s in servers)
            raise RefusedError(
                f"No server of colour {colour} is up ({states}): deploy a release to it first."
            )
        return found

    def refuse_last(self, server: Server) -> None:
        now, live = self.runtime.read(), self.live
        if server.colour != live or not now[server.name].up:
            return
        others = [s.name for s in self.config.of(live)] + list(self.memory.fallback)
        if not any(now[name].up for name in others if name in now and name != server.name):
            raise RefusedError(
                f"{server.name} is the last server of the live colour {live}, and no other may "
                "replace it: deploy to the other colour and promote that."
            )

    def distrust(self, colour: str) -> None:
        """Stop using a colour as a fallback, because it is about to be judged."""
        names = {server.name for server in self.config.of(colour)}
        self.memory.fallback = [name for name in self.memory.fallback if name not in names]

    def drill(self, lease: Lease) -> None:
        """Start the lease's drill in HAProxy, or end it if the lease has none."""
        if lease.drill is None:
            drills.stop(self.runtime)
        else:
            drills.start(self.runtime, lease.candidate, lease.drill)

    def arm(self, lease: Lease, seconds: float) -> None:
        held, unit = self.memory.lease, self.timer.arm(seconds)
        self.memory.lease = replace(lease, until=time.time() + seconds, unit=unit)
        if held is not None:
            self.disarm(held)

    def disarm(self, lease: Lease) -> None:
        # A timer that outlives its lease finds another timer's name in the lease, and does nothing.
        with contextlib.suppress(RefusedError):
            self.timer.disarm(lease.unit)

    def give_back(self) -> None:
        self.runtime.apply(self.all_to(self.live), self.fallback_states())
        drills.stop(self.runtime)
        self.forget_lease()

    def forget_lease(self) -> None:
        """End the lease. If the file of the live colour is damaged, restore it from the lease."""
        live, held = self.live, self.memory.lease
        if live != self.memory.live:
            self.memory.live = live
        self.memory.lease = None
        if held is not None:
            self.disarm(held)

    def all_to(self, colour: str) -> dict[str, int]:
        return {s.name: ring.MAXIMUM if s.colour == colour else 0 for s in self.config.servers}

    def fallback_states(self, servers: Iterable[Server] | None = None) -> dict[str, str]:
        live = tuple(server.name for server in self.config.of(self.live))
        allowed = {*live, *self.memory.fallback}
        return plan.fallback_states(servers or self.config.servers, allowed)
