"""The parts of a rollout that need nothing outside: decisions, arms, counters, keeper."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from canary.model import Arm, Finding, Judgement, Release, Verdict
from canary.rollout.collect import ProxyCounts
from canary.rollout.decision import Decision, Move, decide, only_if_seen, without_answer
from canary.rollout.outcome import Ending
from canary.rollout.progress import pair
from canary.rollout.timing import Timing
from canary.traffic.base import Status

PLAN = Timing(period=5, settle=5, warmup=10, minimum=60, maximum=120, steps=(0.05, 0.2, 0.5))
PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
BLUE = Release("v1", "a", "blue", ("i-b1", "i-b2"))
GREEN = Release("v2", "b", "green", ("i-g1", "i-g2"))


def judgement(verdict: Verdict, towards_fail: float = 0.0, *, muted: bool = False) -> Judgement:
    finding = Finding("m", OPEN, "", critical=True, muted=muted, towards_fail=towards_fail)
    return Judgement(at=0, verdict=verdict, reason="", findings=(finding,))


@pytest.mark.parametrize(
    ("verdict", "step", "served", "elapsed", "move"),
    [
        (FAIL, 0, 0, 0, Move.FAIL),
        (FAIL, 2, 500, 500, Move.FAIL),
        (OPEN, 0, 20, 20, Move.WAIT),  # first: 10 s of warm-up and a third of the other 50 s
        (OPEN, 0, 27, 27, Move.ADVANCE),
        (PASS, 0, 20, 20, Move.WAIT),
        (OPEN, 1, 15, 45, Move.WAIT),
        (OPEN, 1, 17, 45, Move.ADVANCE),
        (PASS, 2, 17, 55, Move.WAIT),
        (PASS, 2, 17, 60, Move.PASS),
        (PASS, 2, 10, 60, Move.WAIT),
        (OPEN, 2, 17, 115, Move.WAIT),
        (OPEN, 2, 17, 120, Move.GIVE_UP),
        (PASS, 2, 17, 120, Move.PASS),
        (OPEN, 0, 120, 120, Move.GIVE_UP),
        (PASS, 1, 100, 120, Move.GIVE_UP),
    ],
)
def test_a_look_decides_from_verdict_and_time(
    verdict: Verdict, step: int, served: float, elapsed: float, move: Move
) -> None:
    assert decide(PLAN, judgement(verdict), step, served, elapsed).move is move


@pytest.mark.parametrize(
    ("towards_fail", "muted", "move"),
    [(0.79, False, Move.ADVANCE), (0.8, False, Move.WAIT), (0.95, True, Move.ADVANCE)],
)
def test_a_weight_is_not_raised_while_harm_is_likely(
    towards_fail: float,
    muted: bool,  # noqa: FBT001 - a table
    move: Move,
) -> None:
    found = judgement(OPEN, towards_fail, muted=muted)
    decision = decide(PLAN, found, 0, 50, 50)
    assert decision.move is move
    assert decision.reason == ("m may be harmed" if move is Move.WAIT else "")


@pytest.mark.parametrize(
    ("critical", "muted", "move"),
    [(True, False, Move.WAIT), (False, False, Move.ADVANCE), (True, True, Move.ADVANCE)],
)
def test_a_weight_is_not_raised_while_the_candidate_sends_nothing_of_a_critical_metric(
    critical: bool,  # noqa: FBT001 - a table
    muted: bool,  # noqa: FBT001 - a table
    move: Move,
) -> None:
    finding = Finding("m", OPEN, "", critical=critical, muted=muted, silent=True)
    found = Judgement(at=0, verdict=OPEN, reason="", findings=(finding,))
    decision = decide(PLAN, found, 0, 50, 50)
    assert decision.move is move
    assert decision.reason == ("the candidate stopped reporting m" if move is Move.WAIT else "")


@pytest.mark.parametrize(
    ("verdict", "elapsed", "ending"),
    [
        (FAIL, 50, Ending(FAIL, "why", judged=True)),
        (OPEN, 120, Ending(OPEN, "why", undecided=True)),
        (PASS, 60, None),
        (OPEN, 60, None),
    ],
)
def test_a_decision_that_ends_a_canary_says_why(
    verdict: Verdict, elapsed: float, ending: Ending | None
) -> None:
    found = replace(judgement(verdict), reason="why")
    assert decide(PLAN, found, 2, 50, elapsed).ending == ending


@pytest.mark.parametrize(
    ("move", "over", "expected"),
    [
        (Move.ADVANCE, False, Move.WAIT),
        (Move.PASS, False, Move.WAIT),
        (Move.PASS, True, Move.GIVE_UP),
        (Move.FAIL, True, Move.FAIL),
        (Move.WAIT, False, Move.WAIT),
    ],
)
def test_an_instance_that_is_not_seen_withholds_pass_but_no_fail(
    move: Move,
    over: bool,  # noqa: FBT001 - a table
    expected: Move,
) -> None:
    assert only_if_seen(Decision(move), "", over=over) == Decision(move)
    assert only_if_seen(Decision(move), "g-1 is silent", over=over).move is expected


def test_a_source_without_an_answer_is_asked_once_more_and_then_ends_the_canary() -> None:
    last_call = PLAN.last_call(100)
    early = without_answer(PLAN, "CloudWatch", 100, last_call - 0.1)
    assert (early.move, early.ending) == (Move.RETRY, None)
    late = without_answer(PLAN, "CloudWatch", 100, last_call)
    assert late.move is Move.STOP
    assert late.reason == "CloudWatch returned no data for 12 s; stopping"
    assert late.ending == Ending(OPEN, late.reason), "nobody is asked to decide blindly"


@pytest.mark.parametrize(("period", "lease"), [(1, 3), (5, 9), (10, 19), (60, 119)])
def test_a_lease_ends_within_two_periods_but_leaves_time_to_renew(period: int, lease: int) -> None:
    plan = Timing(period, 0, 0, 1, 100, (0.5,))
    assert plan.lease == lease
    assert plan.renewal * 4 == lease


def status(shares: dict[str, float], **counters: dict[str, int]) -> Status:
    weights = {name: round(256 * share) for name, share in shares.items()}
    return Status("blue", weights, shares, dict.fromkeys(shares, "UP"), counters=counters)


FOUR = {"blue-1": 0.1, "blue-2": 0.7, "green-1": 0.1, "green-2": 0.1}


def test_a_matched_server_is_the_baseline_of_what_depends_on_load() -> None:
    arms = pair(BLUE, GREEN, status(FOUR), (0.05, 0.5), match=True)
    assert arms.matched == "blue-1"
    assert arms.releases()[Arm.BASELINE].instances == ("i-b1", "i-b2")
    assert arms.releases(equally_loaded=True)[Arm.BASELINE].instances == ("i-b1",)
    assert arms.releases(equally_loaded=True)[Arm.CANDIDATE] == GREEN
    step = arms.step(100, status(FOUR))
    assert step.candidate == pytest.approx(0.2)
    assert step.baseline == pytest.approx(0.8)
    assert step.equal_footing, "blue-1 carries what green-1 and green-2 do"


@pytest.mark.parametrize(
    ("shares", "match"),
    [((0.05, 0.5), False), ((0.05, 0.7), True)],  # at 0.7 nothing is left for an equal third
)
def test_without_a_matched_server_everybody_is_compared(
    shares: tuple[float, ...],
    match: bool,  # noqa: FBT001 - a table
) -> None:
    arms = pair(BLUE, GREEN, status(FOUR), shares, match=match)
    assert arms.matched is None
    assert arms.releases(equally_loaded=True)[Arm.BASELINE] == BLUE
    assert not arms.step(100, status(FOUR)).equal_footing


def test_one_server_per_colour_is_on_equal_footing_at_half() -> None:
    blue, green = Release("1", "", "blue", ("b",)), Release("2", "", "green", ("g",))
    footing = []
    for share in (0.05, 0.496, 0.5):
        found = status({"blue-1": 1 - share, "green-1": share})
        arms = pair(blue, green, found, (0.5,), match=True)
        footing.append(arms.step(0, found).equal_footing)
    assert footing == [False, True, True]


def counted() -> ProxyCounts:
    servers = {"blue-1": (Arm.BASELINE, "i-b1"), "green-1": (Arm.CANDIDATE, "i-g1")}
    return ProxyCounts(servers, {"tries": "retries"}, 5)


def seen(blue: int, green: int, retries: int = 0) -> Status:
    return status(
        {"blue-1": 0.8, "green-1": 0.2},
        requests={"blue-1": blue, "green-1": green},
        retries={"blue-1": 0, "green-1": retries},
    )


def test_only_what_happened_in_a_step_counts_for_it() -> None:
    proxy = counted()
    proxy.start(seen(1000, 10))
    proxy.add(seen(1080, 30), 0, 105)
    proxy.add(seen(1160, 50), 0, 110)
    proxy.start(seen(1200, 60))
    proxy.add(seen(1250, 110), 1, 115)
    assert proxy.split() == (
        (0, Arm.BASELINE, 160),
        (0, Arm.CANDIDATE, 40),
        (1, Arm.BASELINE, 50),
        (1, Arm.CANDIDATE, 50),
    )


def test_a_counter_becomes_a_series_with_its_requests_behind_it() -> None:
    proxy = counted()
    proxy.start(seen(0, 0))
    proxy.add(seen(80, 20, retries=3), 0, 105)
    proxy.add(seen(160, 45, retries=3), 0, 110)
    found = {series.instance: series for series in proxy.series()}
    assert found["i-g1"].metric == "tries"
    assert found["i-g1"].times == (100, 105)
    assert found["i-g1"].values == (3.0, 0.0)
    assert found["i-g1"].samples == (20.0, 25.0)


def test_a_restarted_proxy_counts_from_zero() -> None:
    proxy = counted()
    proxy.start(seen(1000, 500))
    proxy.add(seen(7, 2), 0, 105)
    assert proxy.split() == ((0, Arm.BASELINE, 7), (0, Arm.CANDIDATE, 2))


def test_steps_never_last_longer_together_than_the_minimum() -> None:
    assert sum(PLAN.service(step) for step in range(3)) == pytest.approx(PLAN.minimum)
    assert all(a >= b for a, b in itertools.pairwise(PLAN.service(step) for step in range(3)))
