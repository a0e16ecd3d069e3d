"""Evidence in the first period without metrics that these are missing, not only late."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from canary.errors import ExitStatus
from canary.model import Arm, Release, Series
from canary.rollout.steps import LEAD
from canary.sources.base import Query
from canary.traffic.base import Status
from tests.unit.canary.rollout_fakes import POLICY
from tests.unit.canary.rollout_world import OPEN, World, after, go, silent_after
from tests.unit.canary.test_rollout_silence import shop

PERIOD = POLICY.period


def unsent(sent_at: Callable[[float], bool]) -> tuple[World, list[float]]:
    """Return a world whose candidate stops sending metrics, and reports that until ``sent_at``."""
    world, since = silent_after(60)

    def status() -> Status:
        if since:
            late = sent_at(world.time.now() - since[0])
            until = world.time.now() if late else since[0] - PERIOD
            world.proxy.metrics_until = {"green-1": int(until), "blue-1": int(world.time.now())}
        return answer()

    answer = world.proxy.status
    world.proxy.status = status  # type: ignore[method-assign]
    return world, since


def test_an_instance_that_says_itself_that_its_metrics_are_not_sent_ends_a_period_earlier() -> None:
    world, since = unsent(lambda _: False)
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert outcome.reason == (
        "i-green of the candidate served requests, and says itself that it has not sent the "
        "metrics of the last period. Is its agent running, and does it reach the source?"
    )
    assert world.proxy.share == 0.0
    assert world.time.now() - since[0] == 1.5 * PERIOD


@pytest.mark.parametrize("seconds", [0, PERIOD + 1])
def test_one_whose_metrics_are_sent_though_late_gets_the_second_period(seconds: float) -> None:
    """It restarted, or sent them in the extra half period. The source may be late too."""
    world, since = unsent(lambda passed: passed > seconds)
    assert "for 2 periods but reported no metrics" in go(world).reason
    assert world.time.now() - since[0] == 2 * PERIOD


@pytest.mark.parametrize(
    ("own", "stamps", "ends"),
    [(120, True, True), (-120, True, True), (4, True, False), (120, False, False)],
)
def test_a_wrong_clock_ends_the_canary_where_instances_say_when_a_value_was_measured(
    own: int,
    *,
    stamps: bool,
    ends: bool,
) -> None:
    world = World(after(0, OPEN))
    world.source.own_clocks = stamps
    began: list[float] = []

    def skew(w: World, elapsed: int) -> None:
        if elapsed >= 60 and not began:
            w.proxy.clocks = {"blue-1": 0, "green-1": own}
            began.append(w.time.now())

    world.during = skew
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert world.proxy.share == 0.0
    if not ends:
        assert "clock" not in outcome.reason
        return
    where = "ahead of" if own > 0 else "behind"
    assert outcome.reason == (
        f"The clock of green-1 is 120 s {where} the live servers', so its metrics belong to other "
        "periods"
    )
    assert world.time.now() - began[0] == PERIOD


@pytest.mark.parametrize("clocks", [{"blue-1": 300, "green-1": 300}, {"green-1": 300}, {}])
def test_a_wrong_clock_of_the_proxy_does_not(clocks: dict[str, int]) -> None:
    world = World()
    world.source.own_clocks = True
    world.proxy.clocks = clocks
    assert go(world).exit_status == ExitStatus.PASS


@pytest.mark.parametrize("elapsed", [0, 60])
def test_a_source_that_returns_a_metric_of_the_past_no_more_has_lost_it(elapsed: int) -> None:
    """Neither chance nor delay explains that, so the canary ends at its next look."""
    world, source = shop()
    looked = source.read

    def read(
        queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        steps = world.proxy.history
        if steps and world.time.now() >= steps[0][0] + elapsed:
            source.forgets = True
        return looked(queries, arms, start, end)

    source.read = read  # type: ignore[method-assign]
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert outcome.reason == (
        "simulated source returns no latency any more, not even that of the past"
    )
    assert world.proxy.share == 0.0
    lost_at = world.proxy.history[0][0] + elapsed
    assert world.time.now() - lost_at <= 2 * PERIOD + LEAD


def test_a_metric_that_comes_one_period_late_is_not_lost() -> None:
    world, source = shop()
    world.during = lambda w, elapsed: (
        source.lost.update(dict.fromkeys(("i-blue", "i-green"), w.time.now() - PERIOD))
        if elapsed == 60
        else source.lost.clear()
    )
    outcome = go(world)
    assert "latency any more" not in outcome.reason
    assert "reported" not in outcome.reason
