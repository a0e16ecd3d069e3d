"""The proxy role's configuration and ``shop-traffic`` together, in a real HAProxy."""

from __future__ import annotations

import bisect
import http.client
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop_traffic import ring
from shop_traffic.config import RefusedError

from tests.support.proxy_process import Proxy, load, running_proxy
from tests.support.waiting import wait_for

GREEN = ("green-1", "green-2")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with running_proxy(tmp_path_factory.mktemp("proxy")) as made:
        yield made


@pytest.fixture
def proxy(shared: Proxy) -> Iterator[Proxy]:
    yield shared
    if shared.traffic.memory.live != "blue":
        shared.traffic.promote("blue")
    shared.traffic.release()


def get(port: int, path: str = "/", **headers: str) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.getheader("X-Instance", ""), body


# ---- shares


def sdbm(key: str) -> int:
    """Hash as HAProxy's ``hash-type consistent sdbm avalanche`` does (src/hash.c)."""
    value = 0
    for byte in key.encode():
        value = (byte + (value << 6) + (value << 16) - value) & ring.MASK
    return ring.full_hash(value)


def test_haproxy_sends_every_shopper_where_the_ring_says(proxy: Proxy) -> None:
    weights = proxy.traffic.set("green", 0.3, lease=60)["weights"]
    circle = ring.points(proxy.traffic.config.servers)
    points = [(place, name) for place, index, name in circle if index < 16 * weights[name]]
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    for number in range(300):
        place = sdbm(f"shopper-{number}")
        after = bisect.bisect_left(points, (place, ""))
        before, behind = points[after - 1], points[after % len(points)]
        nearer = (place - before[0]) % ring.CIRCLE <= (behind[0] - place) % ring.CIRCLE
        connection.request("GET", "/", headers={"X-User": f"shopper-{number}"})
        answer = connection.getresponse()
        answer.read()
        assert answer.getheader("X-Instance") == (before if nearer else behind)[1]
    connection.close()


def test_a_shopper_without_a_name_is_known_by_cookie_then_by_address(proxy: Proxy) -> None:
    proxy.traffic.set("green", 0.5, lease=60)
    by_cookie = {get(proxy.port, Cookie=f"user=u{number}")[1] for number in range(30)}
    by_address = {get(proxy.port)[1] for _ in range(10)}
    assert len(by_cookie) > 1
    assert len(by_address) == 1
    named = {get(proxy.port, Cookie=f"user=u{n}", **{"X-User": "same"})[1] for n in range(10)}
    assert len(named) == 1


def test_a_refused_weight_is_not_believed(proxy: Proxy) -> None:
    with pytest.raises(RefusedError, match="Absolute weight can only be between 0 and 256"):
        proxy.traffic.runtime.apply({"blue-1": 999}, {})
    with pytest.raises(RefusedError, match="No such server"):
        proxy.traffic.runtime.apply({"blue-7": 1}, {})


# ---- clients notice nothing


def test_no_request_fails_while_traffic_moves_and_haproxy_reloads(proxy: Proxy) -> None:
    with load(proxy.port) as outcome:
        for share in (0.05, 0.2, 0.5):
            proxy.traffic.set("green", share, lease=60, baseline="blue-1")
            outcome.wait_for_answers(100)
        raised = proxy.traffic.status()["weights"]
        proxy.reload()
        assert proxy.traffic.status()["weights"] == raised
        outcome.wait_for_answers(100)
        proxy.traffic.promote("green")
        outcome.wait_for_answers(100)
        proxy.traffic.promote("blue")
        proxy.traffic.drain("blue-1")
        outcome.wait_for_answers(100)
        proxy.traffic.ready("blue-1")
        outcome.wait_for_answers(100)
    assert outcome.failures == []
    assert outcome.answers["blue"] > 50
    assert outcome.answers["green"] > 50


def test_no_request_fails_when_an_instance_is_killed(proxy: Proxy) -> None:
    with load(proxy.port) as outcome:
        outcome.wait_for_answers(100)
        proxy.shops["blue-1"].kill()
        proxy.wait_until_down("blue-1")
        outcome.wait_for_answers(100)
        proxy.start_shop("blue-1")
        proxy.wait_until_up("blue-1")
        outcome.wait_for_answers(100)
    assert outcome.failures == []


def test_the_fallback_serves_when_the_whole_live_colour_dies(tmp_path: Path) -> None:
    with running_proxy(tmp_path, per_colour=1) as proxy:
        proxy.traffic.promote("green")
        with load(proxy.port) as outcome:
            outcome.wait_for_answers(100)
            assert outcome.answers["blue"] == 0
            proxy.shops["green-1"].kill()
            wait_for(lambda: outcome.answers["blue"] > 100, "the fallback serves")
        assert outcome.failures == []
        assert proxy.traffic.status()["requests"]["blue-1"] > 50


def test_a_failed_candidate_gets_nothing_even_then(tmp_path: Path) -> None:
    with running_proxy(tmp_path, per_colour=1) as proxy:
        proxy.traffic.set("green", 0.5, lease=60)
        proxy.traffic.release()
        proxy.shops["blue-1"].kill()
        proxy.wait_until_down("blue-1")
        assert get(proxy.port)[:2] == (503, "")


# ---- data for the judge


def test_a_failing_candidate_is_not_hidden_by_retries(proxy: Proxy) -> None:
    proxy.traffic.set("green", 1.0, lease=60)
    before = proxy.traffic.status()
    statuses = [get(proxy.port, "/fail")[0] for _ in range(10)]
    after = proxy.traffic.status()
    assert statuses == [503] * 10
    assert sum(after["errors"][name] - before["errors"][name] for name in GREEN) == 10
    assert after["retries"] == before["retries"]


def test_a_crashing_candidate_shows_in_retries_though_clients_see_nothing(proxy: Proxy) -> None:
    proxy.traffic.set("green", 1.0, lease=60)
    before = proxy.traffic.status()
    get(proxy.port, "/crash")
    after = proxy.traffic.status()
    assert sum(after["retries"][n] + after["redispatches"][n] for n in GREEN) > sum(
        before["retries"][n] + before["redispatches"][n] for n in GREEN
    )


# ---- start


def test_a_start_begins_at_the_live_colour(proxy: Proxy) -> None:
    proxy.traffic.set("green", 0.5, lease=60)
    proxy.stop()
    proxy.start()
    answer = proxy.traffic.status()
    assert answer["weights"] == {"blue-1": 256, "blue-2": 256, "green-1": 0, "green-2": 0}
    assert answer["lease"]["until"] is None
    proxy.wait_until_up("blue-1", "blue-2", "green-1", "green-2")


# ---- requests in flight


@pytest.mark.parametrize(
    "path", ["/metrics", "/METRICS", "/%6detrics", "/metrics/", "/metrics?a=b"]
)
def test_the_public_gets_no_metrics(proxy: Proxy, path: str) -> None:
    assert get(proxy.port, path)[:2] == (404, "")


def test_every_request_has_its_own_id_unless_it_brings_a_sane_one(proxy: Proxy) -> None:
    ids = Counter(get(proxy.port)[2] for _ in range(5))
    assert len(ids) == 5
    assert all(re.fullmatch(r"[0-9a-f-]{36}", made) for made in ids)
    assert get(proxy.port, **{"X-Request-Id": "mine-1"})[2] == "mine-1"
    assert get(proxy.port, **{"X-Request-Id": "a b" * 99})[2] != "a b" * 99


def test_prometheus_reads_haproxys_own_numbers(proxy: Proxy) -> None:
    status, _, body = get(proxy.exporter, "/metrics")
    assert status == 200
    assert 'haproxy_server_weight{proxy="shop",server="blue-1"}' in body
