"""A canary whose controller was killed is resumed, wherever it was killed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from canary.errors import TrafficError
from canary.model import Verdict
from canary.rollout.mark import Stage
from canary.state.base import Holder
from tests.unit.canary.resume_world import Life, bad, calls, check, good
from tests.unit.canary.rollout_world import FAIL, LEASE, OPEN, PASS, after


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("made", [good, bad])
def test_a_canary_killed_at_any_call_has_the_verdict_of_an_undisturbed_one(
    made: Callable[[], Life], *, late: bool
) -> None:
    undisturbed = made()
    verdict = undisturbed.start().verdict
    names = undisturbed.deadly.calls
    deployed, raised = names.index("state.history"), names.index("traffic.set")
    for at, name in enumerate(names):
        life, where = made(), f"killed at call {at}, {name}"
        assert life.until_death(at, life.start, late=late) is None, where
        life.away()
        outcome = life.resume()
        check(life, where)
        if deployed <= at < raised + (not late):  # there is no data yet, and no weight
            assert outcome.verdict is None, where
            assert life.proxy.history[:at] == [], where
            assert "The controller was killed" in outcome.reason, where
        else:
            assert outcome.verdict == verdict, where


@pytest.mark.parametrize("made", [good, bad])
def test_five_kills_change_nothing(made: Callable[[], Life]) -> None:
    undisturbed, life = made(), made()
    verdict = undisturbed.start().verdict
    raised = undisturbed.deadly.calls.index("traffic.set")
    outcome = life.until_death(raised + 4, life.start, late=False)
    for _ in range(4):
        assert outcome is None
        life.away()
        outcome = life.until_death(9, life.resume, late=False)
    assert outcome is None
    life.away()
    assert life.resume().verdict == verdict
    check(life, "five kills")
    assert len(life.said("resumed")) == 5
    assert [share for _, share in life.proxy.history] == [
        share for _, share in undisturbed.proxy.history
    ]


@pytest.mark.parametrize("made", [good, bad])
def test_a_canary_whose_lease_ended_never_raises_a_weight_again(made: Callable[[], Life]) -> None:
    names = calls(made())
    first, last = names.index("traffic.set"), names.index("state.free")
    for at in range(first, last):
        life, where = made(), f"killed at call {at}, {names[at]}"
        life.until_death(at, life.start, late=False)
        life.away(LEASE + 1)
        before, live = list(life.proxy.history), life.proxy.live
        outcome = life.resume()
        check(life, where)
        assert life.proxy.history == before, where
        assert life.proxy.live == live, where
        if life.said("resumed") or outcome.verdict is not None:
            assert life.saved.mark.stage is Stage.END, where
        else:
            assert "the lease of its weight ended" in outcome.reason, where


def test_another_canary_that_has_the_lock_keeps_its_traffic() -> None:
    life = good()
    life.until_death(calls(good()).index("traffic.set") + 10, life.start, late=False)
    life.away(LEASE + 60)
    other = Holder("c2", "somebody@else", life.time.now(), life.time.now() + 60)
    assert life.state.take(other, life.state.held)
    life.proxy.set("green", 0.5, LEASE)
    outcome = life.resume()
    assert outcome.verdict is None
    assert "c2 is already running" in outcome.reason
    assert life.proxy.share == 0.5
    assert life.state.held == other
    assert life.ran("rolled_back") == 0


def test_a_weight_that_somebody_changed_meanwhile_is_returned() -> None:
    life = good()
    life.until_death(calls(good()).index("traffic.set") + 10, life.start, late=False)
    life.away()
    life.proxy.set("green", 0.9, LEASE)
    outcome = life.resume()
    assert outcome.verdict is None
    assert "green carries 90.0% of traffic instead of 20.0%" in outcome.reason
    check(life, "changed")
    assert life.proxy.share == 0.0


@pytest.mark.parametrize(
    ("request_", "verdict", "made"),
    [
        ({"on_inconclusive": "hold", "hold": 100.0}, None, OPEN),
        ({"on_fail": "freeze", "hold": 100.0}, Verdict.FAIL, FAIL),
        ({"approve": "promote", "hold": 100.0}, Verdict.INCONCLUSIVE, PASS),
        ({"bake": 100.0, "alarms": ("a",)}, Verdict.PASS, PASS),
    ],
    ids=["hold", "freeze", "gate", "bake"],
)
def test_a_wait_is_not_longer_and_nobody_is_told_twice(
    request_: dict[str, Any], verdict: Verdict | None, made: Verdict
) -> None:
    life = Life(after(60, made), **request_)
    undisturbed = Life(after(60, made), **request_)
    expected = undisturbed.start()
    assert verdict in (None, expected.verdict)
    life.until_death(len(undisturbed.deadly.calls) - 30, life.start, late=False)
    assert life.saved.mark.stage in (Stage.HOLD, Stage.GATE, Stage.BAKE)
    life.away()
    outcome = life.resume()
    assert outcome.verdict == expected.verdict
    assert abs(outcome.ended - expected.ended) < 2 * life.policy.period
    for kind in ("hold", "approval", "bake", "end"):
        assert life.said(kind) == undisturbed.said(kind)
    assert len(life.state.said) == len(undisturbed.state.said)
    check(life, "waited")


def test_a_controller_that_is_always_killed_before_it_judges_does_not_keep_its_weight() -> None:
    life = good()
    outcome = life.until_death(calls(good()).index("traffic.set") + 10, life.start, late=False)
    for _ in range(3):
        life.away(1)
        outcome = life.until_death(3, life.resume, late=False)
        assert outcome is None
    life.away(1)
    outcome = life.resume()
    assert outcome.verdict is None
    assert "was killed 4 times, and judged nothing in between" in outcome.reason
    check(life, "crash loop")


def test_a_proxy_that_does_not_respond_at_first_is_asked_again() -> None:
    life = good()
    life.until_death(calls(good()).index("traffic.set") + 10, life.start, late=False)
    life.away(1)
    now = len(life.deadly.calls)
    life.deadly.once = {now + 1: TrafficError("no response")}
    assert life.resume().verdict is Verdict.PASS
    assert life.deadly.calls[now + 1] == "traffic.status"
