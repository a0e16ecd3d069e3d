"""A drill in a real HAProxy: errors and delays for the candidate, until its lease ends."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from shop_traffic.drill import Drill

from tests.support.proxy_process import Proxy, running_proxy

EVERY = Drill(errors=1.0)
GREEN = ("green-1", "green-2")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with running_proxy(tmp_path_factory.mktemp("drill")) as made:
        yield made


@pytest.fixture
def proxy(shared: Proxy) -> Iterator[Proxy]:
    yield shared
    shared.traffic.promote("blue")


def ask(
    proxy: Proxy, count: int = 1, method: str = "GET", path: str = "/cart"
) -> list[tuple[str, int, float]]:
    """Return colour, status and seconds of each of some users' requests."""
    found = []
    for number in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
        began = time.monotonic()
        connection.request(method, path, headers={"X-User": f"user-{number}"})
        answer = connection.getresponse()
        answer.read()
        took = time.monotonic() - began
        drilled = answer.getheader("X-Drill") is not None
        colour = "green" if drilled else answer.getheader("X-Colour", "")
        found.append((colour, answer.status, took))
        connection.close()
    return found


def failed(proxy: Proxy, count: int = 20) -> int:
    return sum(status == 500 for _, status, _ in ask(proxy, count))


def test_the_candidate_alone_gets_errors_and_haproxy_counts_them(proxy: Proxy) -> None:
    before = proxy.traffic.status()
    during = proxy.traffic.set("green", 0.5, lease=60, drill=EVERY)
    assert during["drill"] == {"errors": 1.0, "delay": 0, "writes": False}
    answers = ask(proxy, 60)
    assert {colour: status for colour, status, _ in answers} == {"blue": 200, "green": 500}
    counted = proxy.traffic.status()
    errors = [counted["errors"][name] - before["errors"][name] for name in counted["weights"]]
    requests = sum(counted["requests"][name] - before["requests"][name] for name in GREEN)
    assert errors[:2] == [0, 0]
    assert sum(errors) == requests == sum(colour == "green" for colour, _, _ in answers) > 10


def test_a_stated_share_of_the_candidates_requests_fails(proxy: Proxy) -> None:
    proxy.traffic.set("green", 1.0, lease=60, drill=Drill(errors=0.3))
    assert 45 < failed(proxy, 300) < 135  # 90 on average, 8 is one standard deviation


def test_requests_that_change_something_are_spared_unless_asked(proxy: Proxy) -> None:
    proxy.traffic.set("green", 1.0, lease=60, drill=EVERY)
    assert [status for _, status, _ in ask(proxy, 5, "POST")] == [200] * 5
    proxy.traffic.set("green", 1.0, lease=60, drill=Drill(errors=1.0, writes=True))
    assert [status for _, status, _ in ask(proxy, 5, "POST")] == [500] * 5


def test_errors_of_the_candidate_itself_are_not_counted_twice(proxy: Proxy) -> None:
    proxy.traffic.set("green", 1.0, lease=60, drill=EVERY)
    before = proxy.traffic.status()["errors"]
    assert [status for _, status, _ in ask(proxy, 5, path="/fail")] == [503] * 5
    after = proxy.traffic.status()["errors"]
    assert sum(after[name] - before[name] for name in GREEN) == 5


def test_the_candidate_alone_is_slower_by_the_delay(proxy: Proxy) -> None:
    proxy.traffic.set("green", 0.5, lease=60, drill=Drill(delay=300))
    answers = ask(proxy, 20)
    assert {status for _, status, _ in answers} == {200}
    seconds = {
        name: [took for colour, _, took in answers if colour == name] for name in ("blue", "green")
    }
    assert min(seconds["green"]) >= 0.3
    assert min(seconds["blue"]) < 0.25
    assert min(seconds["green"]) < 2


def timed(before: dict[str, Any], after: dict[str, Any], colour: str) -> tuple[int, float]:
    """Return how many responses of a colour were timed, and their mean seconds."""
    names = [name for name in after["weights"] if name.startswith(colour)]
    count, took = (
        sum(after[what][name] - before[what].get(name, 0) for name in names)
        for what in ("timed", "microseconds")
    )
    return count, took / max(count, 1) / 1e6


def test_haproxy_measures_each_response_with_the_delay_of_a_drill(proxy: Proxy) -> None:
    before = proxy.traffic.set("green", 0.5, lease=60, drill=Drill(delay=300))
    answers = ask(proxy, 40)
    after = proxy.traffic.status()
    for colour in ("blue", "green"):
        seen = [took for one, _, took in answers if one == colour]
        count, mean = timed(before, after, colour)
        assert count == len(seen) > 0
        # The shop sleeps 20 ms; the time at the client includes the connection and the body.
        assert 0.02 + 0.3 * (colour == "green") <= mean <= sum(seen) / len(seen)


def test_an_error_of_a_drill_is_not_timed(proxy: Proxy) -> None:
    before = proxy.traffic.set("green", 1.0, lease=60, drill=EVERY)
    assert failed(proxy, 5) == 5
    assert timed(before, proxy.traffic.status(), "green")[0] == 0


def test_a_reload_begins_the_times_anew(proxy: Proxy) -> None:
    ask(proxy, 5)
    before = proxy.traffic.status()
    proxy.reload()
    ask(proxy, 3)
    after = proxy.traffic.status()
    assert sum(after["timed"].values()) == 3 < sum(before["timed"].values())


def expired(proxy: Proxy) -> None:
    lease = proxy.traffic.memory.lease
    assert lease is not None
    proxy.traffic.release(lease.unit)


def restarted(proxy: Proxy) -> None:
    proxy.stop()
    proxy.start()
    proxy.wait_until_up("blue-1", "blue-2", "green-1", "green-2")


def raised_by_an_ordinary_canary(proxy: Proxy) -> None:
    proxy.traffic.set("green", 0.5, lease=60)


@pytest.mark.parametrize("ending", [expired, restarted, raised_by_an_ordinary_canary])
def test_nothing_is_left_of_a_drill(proxy: Proxy, ending: Callable[[Proxy], None]) -> None:
    proxy.traffic.set("green", 0.5, lease=60, drill=EVERY)
    assert failed(proxy) > 0
    ending(proxy)
    assert proxy.traffic.status()["drill"] is None
    assert failed(proxy) == 0


def test_a_drill_goes_on_after_a_reload_and_ends_with_its_lease(proxy: Proxy) -> None:
    proxy.traffic.set("green", 0.5, lease=60, drill=EVERY)
    proxy.reload()
    assert proxy.traffic.status()["drill"] is not None
    assert failed(proxy) > 0
    proxy.reload()
    expired(proxy)
    assert failed(proxy) == 0


def test_a_drill_after_the_lease_ended_during_a_reload_is_over(proxy: Proxy) -> None:
    proxy.traffic.set("green", 0.5, lease=60, drill=EVERY)
    expired(proxy)
    proxy.reload()
    assert proxy.traffic.status()["drill"] is None
    assert failed(proxy) == 0


def test_the_standby_of_a_drill_stays_one(proxy: Proxy) -> None:
    proxy.traffic.standby("green", may=True)
    before = proxy.traffic.status()
    proxy.traffic.set("green", 0.5, lease=60, drill=EVERY)
    expired(proxy)
    after = proxy.traffic.status()
    kept = ("live", "candidate", "lease", "fallback", "weights", "shares", "states", "drill")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    proxy.traffic.standby("green", may=False)


def test_a_candidate_that_replaces_the_live_colour_gets_no_errors(tmp_path: Path) -> None:
    with running_proxy(tmp_path, per_colour=1) as proxy:
        proxy.traffic.set("green", 0.5, lease=60, drill=EVERY)
        assert failed(proxy) > 0
        proxy.shops["blue-1"].kill()
        proxy.wait_until_down("blue-1")
        assert [(colour, status) for colour, status, _ in ask(proxy, 10)] == [("green", 200)] * 10
