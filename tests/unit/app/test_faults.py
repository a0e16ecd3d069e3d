"""Faults: their syntax, where they are allowed, and their effects."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import redis

from app.cache import RedisCache
from app.faults import CRASHED, DEFAULTS, Fault, Faults, parse_faults
from app.metrics.slots import Counter
from app.settings import SettingsError
from tests.support.app_bad_input import cart
from tests.support.app_client import Client, settings


def faulty(directory: Path, faults: str, **changes: Any) -> Client:
    allowed = {"allow_faults": "1", "environment": "local", **changes}
    return Client(settings(directory, faults=faults, **allowed))


def test_examples_of_the_grammar() -> None:
    # the documented syntax
    text = (
        "latency=200ms@/cart/checkout:0.3 error=503@/cart:0.05, memleak=1MB/req crash=after:500req"
    )
    assert parse_faults(text) == (
        Fault("latency=200ms@/cart/checkout:0.3", "latency", 0.2, "/cart/checkout", 0.3),
        Fault("error=503@/cart:0.05", "error", 503, "/cart", 0.05),
        Fault("memleak=1MB/req", "memleak", 1e6, "", 1),
        Fault("crash=after:500req", "crash", 500, "", 1),
    )


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_name_alone_means_its_default(name: str) -> None:
    assert parse_faults(name)[0].amount == parse_faults(f"{name}={DEFAULTS[name]}")[0].amount


@pytest.mark.parametrize(
    "text",
    ["slow=1s", "latency=200", "latency=-1ms", "latency=200ms:1.5", "latency=200ms:-1",
     "error=200", "error=599", "error=teapot", "memleak=1", "crash=500", "wrong=price",
     "latency=2s@cart", "=", "error=503:", "error=500+2m", "error=500#", "cache=2"],
)  # fmt: skip
def test_what_is_not_a_fault_is_a_sentence(text: str) -> None:
    with pytest.raises(SettingsError, match="SHOP_FAULTS has"):
        parse_faults(text)


@pytest.mark.parametrize(
    ("environment", "allow", "accepted"),
    [
        ("local", "", False),
        ("local", "0", False),
        ("local", "1", True),
        ("production", "", False),
        ("production", "1", False),
        ("production", "production", True),
    ],
)
def test_faults_must_be_allowed(
    tmp_path: Path, environment: str, allow: str, *, accepted: bool
) -> None:
    chosen = settings(tmp_path, faults="error=503", environment=environment, allow_faults=allow)
    if accepted:
        assert Faults(chosen).active() == ["error=503"]
    else:
        with pytest.raises(SettingsError, match=f"'error=503' in environment {environment}"):
            Faults(chosen)


def test_without_faults_nothing_is_refused(tmp_path: Path) -> None:
    faults = Faults(settings(tmp_path, environment="production"))
    assert faults.before("/cart") is None
    assert faults.total(100) == 100


def test_faults_are_visible_in_status(tmp_path: Path) -> None:
    client = faulty(tmp_path, "latency=1ms error=503@/carts:0.5")
    assert client.get("/status").json()["faults"] == ["latency=1ms", "error=503@/carts:0.5"]
    assert "shop_faults 2.0" in client.get("/metrics").text


def test_error_strikes_its_route_only_and_stores_nothing(tmp_path: Path) -> None:
    client = faulty(tmp_path, "error=503@/cart")
    assert client.post("/cart", cart()).status == 503
    assert (client.get("/carts").status, client.get("/carts").json()) == (200, [])
    assert client.get("/status").status == 200


def test_chance_is_kept_and_repeats(tmp_path: Path) -> None:
    def errors(seed: int) -> list[int]:
        client = faulty(tmp_path, "error=503@/carts:0.2", fault_seed=seed)
        return [client.get("/carts").status for _ in range(500)]

    first = errors(1)
    # Binomial, n=500, p=0.2: mean 100, standard deviation 8.9; four of those.
    assert 64 <= first.count(503) <= 136
    assert errors(1) == first
    assert errors(2) != first


def test_a_route_with_a_variable_is_named_without_it(tmp_path: Path) -> None:
    client = faulty(tmp_path, "error=500@/product")
    assert client.get("/product/1").status == 500
    assert client.get("/products").status == 200


class Clock:
    """Replaces the module ``time`` in ``app.faults``: a sleep is recorded and takes no time."""

    def __init__(self) -> None:
        self.moment = 1000.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("app.faults.time", made)
    return made


def test_latency_makes_wait(tmp_path: Path, clock: Clock) -> None:
    client = faulty(tmp_path, "latency=50ms@/carts")
    client.get("/carts")
    assert clock.sleeps == [0.05]


def test_a_fault_begins_after_its_delay(tmp_path: Path, clock: Clock) -> None:
    client = faulty(tmp_path, "error=500+120s")
    clock.moment += 500  # the delay starts with the first request, not with the process
    answers = []
    for seconds in (0, 60, 59, 1, 1000):
        clock.moment += seconds
        answers.append(client.get("/carts").status)
    assert answers == [200, 200, 200, 500, 500]


@pytest.mark.parametrize(("instance", "status"), [("green-1", 500), ("green-2", 200)])
def test_a_fault_of_one_host(tmp_path: Path, instance: str, status: int) -> None:
    client = faulty(tmp_path, "error=500@/carts:1+0s#-1", instance=instance)
    assert client.get("/carts").status == status


def test_a_cache_fills_up_and_grows_no_more(tmp_path: Path) -> None:
    faults = Faults(settings(tmp_path, faults="cache=1MB", allow_faults="1"))
    strike = faults.before("/cart")
    assert strike
    sizes = []
    for _ in range(20):
        strike()
        sizes.append(sum(map(len, faults._leaked)))
    assert sizes == [min(100_000 * count, 1_000_000) for count in range(1, 21)]


def test_health_is_not_struck(tmp_path: Path, clock: Clock) -> None:
    client = faulty(tmp_path, "latency=5s error=503")
    assert [client.get(path).status for path in ("/status", "/ready", "/live")] == [200] * 3
    assert clock.sleeps == []


def test_wrong_total_is_a_tenth_too_much(tmp_path: Path) -> None:
    client = faulty(tmp_path, "wrong=total")
    assert client.post("/cart", cart(qty=1, unitPrice="500")).status == 200
    assert "shop_cartsvalue 550.0" in client.get("/metrics").text


def test_readiness_fails_but_it_lives(tmp_path: Path) -> None:
    client = faulty(tmp_path, "readiness=fail")
    assert [client.get(path).status for path in ("/ready", "/live")] == [503, 200]


def test_slow_database_slows_shoppers(tmp_path: Path, clock: Clock) -> None:
    client = faulty(tmp_path, "dbslow=50ms")
    client.get("/carts")
    assert clock.sleeps == [0.05]


def test_slow_start_fades(tmp_path: Path, clock: Clock) -> None:
    client = faulty(tmp_path, "slowstart=10s")
    for seconds in (0, 5, 5, 5):
        clock.moment += seconds
        client.get("/carts")
    assert clock.sleeps == [0.5, 0.25, 0.0, 0.0]


def test_cpu_burns(tmp_path: Path) -> None:
    client = faulty(tmp_path, "cpu=50ms@/carts")
    before = time.thread_time()
    client.get("/carts")
    assert time.thread_time() - before >= 0.05


def test_memory_leaks(tmp_path: Path) -> None:
    faults = Faults(settings(tmp_path, faults="memleak=100KB", allow_faults="1"))
    strike = faults.before("/cart")
    assert strike
    for _ in range(10):
        strike()
    assert sum(map(len, faults._leaked)) == 1_000_000


def test_a_failing_cache_is_counted_and_answered(tmp_path: Path) -> None:
    faults = Faults(settings(tmp_path, faults="cachefail", allow_faults="1"))
    counted: list[Counter] = []
    cache = RedisCache(redis.Redis(port=1), 60, counted.append, faults.cache_fails)
    assert cache.fetch("k", lambda: b"v") == b"v"
    assert counted == [Counter.CACHE_ERRORS]


def test_a_crash_loop_never_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(status: int) -> None:
        raise SystemExit(status)

    monkeypatch.setattr("app.faults.os._exit", end)
    with pytest.raises(SystemExit) as ended:
        faulty(tmp_path, "crash=start")
    assert ended.value.code == CRASHED
