"""A lease and a lock are renewed only while a canary is alive."""

from __future__ import annotations

from canary.errors import LockLostError, StateError, TrafficError
from canary.rollout.lease import Keeper
from canary.rollout.lock import RENEWAL
from canary.rollout.timing import Timing
from canary.state.base import Holder
from tests.unit.canary.rollout_fakes import START, Proxy, Time, Troubles
from tests.unit.canary.rollout_memory import Memory

PLAN = Timing(period=5, settle=5, warmup=10, minimum=60, maximum=120, steps=(0.05, 0.2, 0.5))


class Kept:
    """A keeper with a proxy, a memory and a time that a test moves."""

    def __init__(self) -> None:
        self.troubles = Troubles()
        self.time = Time(self.troubles)
        self.proxy = Proxy(self.time, self.troubles)
        self.state = Memory(self.time, self.troubles)
        holder = Holder("c1", "me", START, START + 60)
        self.keeper = Keeper(PLAN, self.time, self.proxy, self.state, holder)
        self.keeper.take_lock(lambda _: None)

    def tick(self, seconds: float, *, alive: bool = True) -> None:
        """Let time pass as the keeper's thread sees it."""
        for _ in range(int(seconds / PLAN.renewal)):
            self.time.skip(PLAN.renewal)
            if alive:
                self.keeper.beat()
            self.keeper.tick()
            self.proxy.expire()


def test_a_lease_and_a_lock_are_kept_as_long_as_the_canary_lives() -> None:
    kept = Kept()
    kept.proxy.set("green", 0.2, PLAN.lease)
    kept.keeper.leased()
    kept.tick(600)
    assert kept.proxy.share == 0.2
    assert kept.state.holder() is not None
    assert kept.keeper.lost() == ""


def test_to_wait_for_a_dead_holders_lock_is_not_to_hang() -> None:
    kept = Kept()
    kept.state.held = Holder("c0", "dead", START, START)
    kept.keeper.take_lock(lambda _: None)
    kept.time.skip(PLAN.renewal)
    kept.keeper.tick()
    assert kept.keeper.lost() == ""
    assert kept.state.held.canary == "c1"


def test_a_hanging_canary_is_not_kept_alive() -> None:
    kept = Kept()
    kept.proxy.set("green", 0.2, PLAN.lease)
    kept.keeper.leased()
    kept.tick(60, alive=False)
    assert kept.proxy.share == 0.0
    assert "stalled" in kept.keeper.lost()


def test_a_short_silence_of_the_proxy_costs_nothing() -> None:
    kept = Kept()
    kept.proxy.set("green", 0.2, PLAN.lease)
    kept.keeper.leased()
    number = len(kept.troubles.calls)
    kept.troubles.once = {number: TrafficError("busy"), number + 2: TrafficError("busy")}
    kept.tick(60)
    assert kept.keeper.lost() == ""
    assert kept.proxy.share == 0.2


def test_a_lost_lease_is_said() -> None:
    kept = Kept()
    kept.proxy.set("green", 0.2, PLAN.lease)
    kept.keeper.leased()
    kept.troubles.lasting = ("traffic", len(kept.troubles.calls), TrafficError("no route"))
    kept.tick(20)
    assert "the weight lease could not be renewed: no route" in kept.keeper.lost()


def test_a_lock_that_is_gone_ends_the_canary_at_the_next_renewal() -> None:
    kept = Kept()
    gone = LockLostError("The lock of test was lost: it is free now")
    kept.troubles.lasting = ("state.renew", 0, gone)
    kept.tick(RENEWAL + PLAN.renewal)
    assert kept.keeper.lost() == str(gone)


def test_a_lost_lock_is_said() -> None:
    kept = Kept()
    kept.troubles.lasting = ("state", 0, StateError("throttled"))
    kept.tick(90)
    assert "the lock could not be renewed: throttled" in kept.keeper.lost()
