"""A catastrophe fails within a few periods, whenever it begins. A burst on one host does not."""

from __future__ import annotations

import numpy as np
import pytest

from canary.judge.acute import acute_events
from canary.judge.batch import Arms, judge_many
from canary.judge.rule import rule_of
from canary.model import Verdict
from tests.bench.verdict import ours
from tests.bench.verdict.cells import simulate
from tests.bench.verdict.readings import NONE
from tests.bench.verdict.readings import policy as bench_policy
from tests.unit.canary.guards import (
    analysed,
    around,
    errors,
    first_fail,
    looks,
    policy,
    recorded,
    since,
)

COUNT = "kind: count"


@pytest.mark.parametrize("onset", [0, 1, 27, 55])
def test_an_outage_fails_within_three_periods(onset: int) -> None:
    bad = errors(1, 60, since(onset, 60, 1000.0))
    found = looks(policy(COUNT), recorded(bad, errors(2, 60), 3000.0))
    assert 0 < first_fail(found) <= onset + 3


def test_an_outage_after_hours_of_quiet_fails_within_three_periods() -> None:
    bad = errors(1, 240, since(230, 240, 1000.0))
    recording = recorded(bad, errors(2, 240), 3000.0)
    assert 1 <= first_fail(looks(policy(COUNT, 240), recording, first=231)) <= 3


def test_the_sentence_says_what_the_newest_periods_show() -> None:
    bad = errors(1, 30, since(20, 30, 1000.0))
    found = looks(policy(COUNT), recorded(bad, [0.0] * 30, 3000.0))[22]
    assert found.reason == (
        "It: every one of the candidate's requests in the last 3 periods (9,000 of 9,000), "
        "0 % of the baseline's (0 of 9,000). FAIL at once, after 23 min"
    )
    assert found.findings[0].effect is not None
    assert found.findings[0].effect > 1000


@pytest.mark.parametrize("onset", [0, 30])
def test_three_times_the_latency_fails_within_four_periods(onset: int) -> None:
    slow = around(1, 60, [40 * x for x in since(onset, 60, 3.0)])
    found = looks(policy("kind: latency"), recorded(slow, around(2, 60, 40.0), 3000.0))
    assert 0 < first_fail(found) <= onset + 4
    reason = found[onset + 3].reason
    assert "times the baseline's over the last 4 periods. FAIL at once" in reason


def test_checkouts_that_stop_fail_within_three_periods() -> None:
    few = errors(1, 60, since(30, 60, 0.0), rate=0.03)
    found = looks(
        policy("kind: count, harm: decrease, margin: 15%"),
        recorded(few, errors(2, 60, rate=0.03), 3000.0),
    )
    assert 31 <= first_fail(found) <= 33
    assert "0 % of the candidate's requests in the last 3 periods (0 of 9,000)" in found[32].reason


def test_a_process_that_restarts_all_the_time_fails_at_once() -> None:
    restarts = [0.0] * 20 + [12.0, 11.0, 13.0]
    found = looks(policy("kind: count, per: time"), recorded(restarts, [0.0] * 23))
    assert first_fail(found) == 23
    assert found[-1].reason.startswith("It: 36 on the candidate in the last 3 periods, 0 on the")


@pytest.mark.parametrize(
    ("candidate", "baseline"),
    [
        ([1000.0, 1000.0], [1.0, 1.0]),  # two periods are a burst
        ([5.0, 5.0, 5.0], [1.0, 1.0, 1.0]),  # five times: a sick host
        ([1000.0] * 3, [1000.0] * 3),  # both arms: a shared dependency is down
        ([20.0] * 3, [6.0] * 3),  # both arms, one of them more
    ],
)
def test_what_is_no_catastrophe_is_left_to_the_other_channels(
    candidate: list[float], baseline: list[float]
) -> None:
    calm = [1.0] * 20
    recording = recorded(
        errors(1, 20 + len(candidate), [*calm, *candidate]),
        errors(2, 20 + len(baseline), [*calm, *baseline]),
        3000.0,
    )
    assert not first_fail(looks(policy(COUNT), recording))


def test_a_handful_of_requests_is_chance() -> None:
    found = looks(policy(COUNT), recorded([0.0] * 10 + [1.0] * 3, [0.0] * 13, 1.0))
    assert not first_fail(found)


def test_a_latency_of_single_requests_is_chance() -> None:
    slow = [40.0] * 10 + [110.0, 130.0, 120.0, 150.0]
    assert not first_fail(looks(policy("kind: latency"), recorded(slow, [41.0] * 14, 1.0)))


def test_a_muted_metric_fails_nothing() -> None:
    bad = errors(1, 20, since(10, 20, 1000.0))
    asked = "kind: count, muted: true}\n- {name: other, kind: count"
    assert not first_fail(looks(policy(asked), recorded(bad, errors(2, 20), 3000.0)))


def test_no_unit_of_latency_matters() -> None:
    slow, usual = around(1, 40, [40 * x for x in since(30, 40, 3.0)]), around(2, 40, 40.0)
    asked = policy("kind: latency")
    found = looks(asked, recorded(slow, usual, 3000.0))
    seconds = recorded([x / 1000 for x in slow], [x / 1000 for x in usual], 3000.0)
    assert [one.verdict for one in found] == [one.verdict for one in looks(asked, seconds)]
    assert [one.reason for one in found] == [one.reason for one in looks(asked, seconds)]


def test_thousands_are_judged_as_one_is() -> None:
    bad, usual = errors(1, 40, since(30, 40, 1000.0)), errors(2, 40)
    asked = policy(COUNT)
    one = looks(asked, recorded(bad, usual, 3000.0))
    requests = np.full((2, 40), 3000.0)
    many = judge_many(
        asked, {"it": Arms(np.array([bad, usual]), np.array([usual, usual]), requests, requests)}
    )
    assert many.first_fail[0] == first_fail(one)
    assert many.first_fail[1] == 0


@pytest.mark.parametrize("scenario", ["S4", "B4"])
def test_bursts_of_the_roughest_worlds_stay_within_the_channels_share(scenario: str) -> None:
    """At a share of 0.2 %, 2 of 1,000 equal canaries are expected; 8 are a chance of 1 in 1,000."""
    asked, runs = bench_policy(60), 1000
    fired = np.zeros(runs, dtype=bool)
    canaries = simulate(scenario, NONE, runs, 60, seed=4_711)
    for name, arms in ours.arms(canaries, ("errors_5xx", "errors_4xx")).items():
        metric = next(one for one in asked.metrics if one.name == name)
        bounds = rule_of(asked, metric, 1.0).acute
        assert bounds is not None
        whole = (arms.candidate, arms.baseline, arms.candidate_chances, arms.baseline_chances)
        columns = [np.where(np.isfinite(sum(whole)), one, np.nan) for one in whole]
        for k in range(3, 61):
            g, b, n_g, n_b = (one[:, :k] for one in columns)
            fired |= np.isfinite(acute_events((g, b, n_g, n_b), bounds, 1.0)["acute_periods"])
    assert fired.sum() < 8


def test_an_outage_in_the_last_five_of_thirty_minutes_fails() -> None:
    found = analysed(
        "outage-in-the-last-5-of-30-minutes", "name: errors, kind: count, margin: x1.5"
    )
    assert found[-1].verdict is Verdict.FAIL
    assert found[-1].reason.startswith(
        "Errors: every one of the candidate's requests failed in the"
    )


def test_twenty_times_the_errors_in_the_last_ten_minutes_fail() -> None:
    found = analysed("errors-x20-in-the-last-10-of-60-minutes", "name: errors, kind: count")
    assert found[-1].verdict is Verdict.FAIL


def test_a_window_longer_than_a_canary_is_judged_to_its_end() -> None:
    found = analysed("errors-x20-from-minute-100-of-240", "name: errors, kind: count")
    assert found[-1].verdict is Verdict.FAIL
    assert found[-1].at - found[0].at > 90 * 60
