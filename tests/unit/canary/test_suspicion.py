"""Invalid data: no confident verdict, and a sentence that says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate

import numpy as np
import pytest

from canary.judge import judge
from canary.model import Arm, Series, Verdict
from tests.unit.canary.suspect_windows import Change, finding, judged, of, policy, times, window


def test_a_healthy_window_passes_and_nothing_is_suspicious() -> None:
    judgement = judged(window())
    assert judgement.verdict is Verdict.PASS
    assert [one for one in judgement.quality if not one.startswith("uncalibrated")] == []


def shares(percent: float) -> Change:
    """Return the errors as a share of the requests, as a fraction or in per cent."""

    def changed(one: Series) -> Series:
        if one.metric != "errors":
            return one
        pairs = zip(one.values, one.samples, strict=True)
        return replace(one, values=tuple(percent * (v or 0) / (n or 1) for v, n in pairs))

    return changed


@pytest.mark.parametrize("percent", [1, 100], ids=["ratio", "percentage"])
@pytest.mark.parametrize("errors", [0.005, 0.2], ids=["equal", "harmful"])
def test_a_ratio_given_as_a_count_is_not_judged(percent: float, errors: float) -> None:
    judgement = judged(window(shares(percent), errors=errors))
    assert finding(judgement, "errors").verdict is Verdict.INCONCLUSIVE
    assert "fractions" in finding(judgement, "errors").sentence
    assert judgement.verdict is not Verdict.PASS


def test_what_promql_extrapolates_is_still_a_count() -> None:
    """increase() over 60 s of a counter scraped every 15 s turns 1 event into 1.33."""
    judgement = judged(window(of("errors", "", times(4 / 3))))
    assert finding(judgement, "errors").verdict is Verdict.PASS


def counters(
    *, events: bool = True, requests: bool = True, restart: int = 0, host: str = ""
) -> Change:
    """Return counters since the start of their process; the candidate's process is older."""

    def total(values: tuple[float | None, ...], first: float) -> tuple[float, ...]:
        found = list(accumulate((value or 0.0 for value in values), initial=first))[1:]
        return tuple(
            v - found[restart - 1] if 0 < restart <= at else v for at, v in enumerate(found)
        )

    def changed(one: Series) -> Series:
        if one.metric != "errors" or not one.instance.startswith(host):
            return one
        first = 5000.0 if one.arm is Arm.CANDIDATE else 0.0
        values = total(one.values, first) if events else one.values
        samples = total(one.samples, 2 * first) if requests else one.samples
        return replace(one, values=values, samples=samples)

    return changed


@pytest.mark.parametrize(
    "change",
    [
        counters(),
        counters(restart=20),
        counters(requests=False),
        counters(host="candidate"),
        counters(host="candidate", requests=False),
        counters(host="baseline"),
    ],
    ids=["both", "restarted", "events", "candidate", "candidate events", "baseline"],
)
@pytest.mark.parametrize("look", [5, 40])
def test_counters_that_only_rise_are_not_judged(change: Change, look: int) -> None:
    recording = window(change)
    found = finding(judge(policy(), recording, recording.looks[look - 1]), "errors")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "only ever rise" in found.sentence


def test_an_outage_that_grows_is_no_counter() -> None:
    outage = [0.0] * 32 + [1.0, 5, 30, 120, 500, 1500, 2500, 3000]
    judgement = judged(window(of("errors", "candidate", lambda _: list(outage))))
    assert judgement.verdict is Verdict.FAIL


def test_requests_since_the_start_are_no_throughput() -> None:
    judgement = judged(window(of("requests", "", lambda values: list(accumulate(values)))))
    assert "only ever rise" in finding(judgement, "requests").sentence


def without_samples(one: Series) -> Series:
    return replace(one, samples=(None,) * len(one.samples))


def test_a_count_without_requests_is_not_judged() -> None:
    found = finding(judged(window(without_samples)), "errors")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "no requests of the baseline are known" in found.sentence
    assert "per: time" in found.sentence


def test_more_failures_than_requests_never_pass() -> None:
    found = finding(judged(window(of("errors", "", times(400)))), "errors")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "a request fails at most once" in found.sentence


def test_more_failures_than_requests_are_told_beside_a_fail() -> None:
    judgement = judged(window(of("errors", "candidate", times(400))))
    assert judgement.verdict is Verdict.FAIL
    assert any("a request fails at most once" in note for note in judgement.quality)


def test_samples_of_0_are_told() -> None:
    """They must not be reported as missing values."""
    judgement = judged(window(lambda one: replace(one, samples=(0.0,) * len(one.samples))))
    assert "its samples are 0 everywhere" in finding(judgement, "latency").sentence


def test_arms_that_are_the_same_hosts_never_pass() -> None:
    """A query without the colour returns the same hosts for both arms."""
    kept = window()
    own = {
        (one.metric, one.instance.removeprefix("baseline")): one
        for one in kept.series
        if one.arm is Arm.BASELINE
    }

    def copied(one: Series) -> Series:
        other = own[one.metric, one.instance.removeprefix(one.arm)]
        return replace(one, values=other.values, samples=other.samples)

    judgement = judged(replace(kept, series=tuple(map(copied, kept.series))))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "exactly the same values in all 40 periods" in finding(judgement, "latency").sentence
    assert "exactly the same values" in finding(judgement, "errors").sentence


@pytest.mark.parametrize(("part", "said"), [(1 / 9, "10 %"), (1 / 3, "25 %"), (4, "80 %")])
def test_a_split_that_was_not_told_is_no_loss_of_requests(part: float, said: str) -> None:
    def split(one: Series) -> Series:
        if one.arm is Arm.BASELINE:
            return one
        samples = tuple(part * (n or 0) for n in one.samples)
        values = tuple(part * (v or 0) for v in one.values)
        counted = one.metric in ("requests", "errors")
        return replace(one, samples=samples, values=values if counted else one.values)

    judgement = judged(window(split))
    found = finding(judgement, "requests")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert f"{said} of both arms' requests instead of 50 %" in found.sentence
    assert "--share" in found.sentence


def test_requests_that_are_lost_later_are_harm() -> None:
    lost = of("requests", "candidate", lambda vs: [*vs[:20], *(0.2 * v for v in vs[20:])])
    assert finding(judged(window(lost)), "requests").verdict is Verdict.FAIL


def every(nth: int) -> Callable[[list[float]], list[float | None]]:
    return lambda values: [v if at % nth == 0 else None for at, v in enumerate(values)]


def test_data_of_another_period_names_the_period() -> None:
    judgement = judged(window(of("latency", "", every(5)), of("errors", "", every(5))))
    found = finding(judgement, "latency")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert (
        "arrives every 5 min, but the policy's period is 1 min; set period: 300s" in found.sentence
    )


def shifted(periods: int) -> Change:
    def later(one: Series) -> Series:
        moved = tuple(time + 60 * periods for time in one.times)
        return replace(one, times=moved) if one.arm is Arm.CANDIDATE else one

    return later


def test_arms_that_do_not_overlap_are_told_with_their_times() -> None:
    recording = replace(window(shifted(60)), looks=(1_200_000 + 6000,))
    found = finding(judged(recording, policy().model_copy(update={"maximum": 6000})), "latency")
    assert "never in the same period" in found.sentence
    assert "from 1970-01-14 22:20 to 1970-01-14 23:00" in found.sentence


def test_arms_that_overlap_in_part_are_told_what_is_later() -> None:
    recording = replace(window(shifted(20)), looks=(1_200_000 + 3600,))
    found = finding(judged(recording, policy().model_copy(update={"maximum": 3600})), "latency")
    assert found.verdict is not Verdict.PASS
    assert "start 20 min later and end 20 min later" in found.sentence


def beyond_the_buckets(host: str, periods: range) -> Change:
    """Make values of the latency infinite, as the source marks them."""

    def changed(one: Series) -> Series:
        if one.metric != "latency" or not one.instance.startswith(host):
            return one
        values = tuple(None if at in periods else v for at, v in enumerate(one.values))
        return replace(one, values=values, infinite=tuple(one.times[at] for at in periods))

    return changed


def test_values_that_are_all_infinite_are_told_as_such() -> None:
    found = finding(judged(window(beyond_the_buckets("candidate", range(40)))), "latency")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "infinite in all 40 periods" in found.sentence
    assert "largest bucket" in found.sentence


def test_a_few_infinite_values_of_one_host_withhold_pass() -> None:
    judgement = judged(window(beyond_the_buckets("candidate-1", range(18, 22))))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "infinite in 4 periods" in finding(judgement, "latency").sentence


def test_little_traffic_is_said_to_be_little() -> None:
    def night(one: Series) -> Series:
        random = np.random.default_rng(3)
        values = tuple(
            v * (1 + 0.3 * random.standard_normal()) for v in one.values if v is not None
        )
        few = one.metric != "latency"
        return replace(one, values=(0.0,) * len(values) if few else values, samples=(4.0,) * 40)

    judgement = judged(window(night))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "little traffic, about 8 requests a period" in judgement.reason
