"""The commands of ``shop-traffic`` and their errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shop_traffic import boot, runtime
from shop_traffic.config import RefusedError

from canary.traffic.haproxy import parse_status
from tests.support.proxy_world import ALL_BLUE, ALL_GREEN, BLUE, GREEN, World, proxy

# ---- promote, and the fallback


def test_promote_flips_the_live_colour_and_keeps_the_old_one_as_fallback(world: World) -> None:
    world.traffic.set("green", 0.5, lease=15)
    for _ in range(2):
        answer = world.traffic.promote("green")
        assert world.haproxy.weights() == ALL_GREEN
        assert answer["live"] == "green"
        assert {"blue-1", "blue-2"} <= world.haproxy.standing_in()
        assert not world.timer.armed


def test_a_rollback_does_not_keep_what_failed_as_fallback(world: World) -> None:
    world.traffic.promote("green")
    world.traffic.promote("blue")
    assert world.haproxy.weights() == ALL_BLUE
    assert world.haproxy.standing_in() == set(BLUE)
    assert world.memory.fallback == ()


def test_a_failed_candidate_is_never_the_fallback(world: World) -> None:
    world.traffic.promote("green")  # now blue is the fallback
    world.traffic.set("blue", 0.2, lease=15)
    world.traffic.release()
    assert world.haproxy.standing_in() == set(GREEN)


def test_promote_refuses_a_colour_that_is_down(world: World) -> None:
    for name in GREEN:
        world.haproxy.servers[name].healthy = False
    with pytest.raises(RefusedError, match="No server of colour green is up"):
        world.traffic.promote("green")
    assert world.memory.live == "blue"


# ---- deploys


def test_drain_waits_for_the_last_request_and_ready_puts_back(world: World) -> None:
    world.haproxy.servers["blue-1"].sessions = 1
    with pytest.raises(RefusedError, match=r"still has open requests after 0\.1 s"):
        world.traffic.drain("blue-1", patience=0.1)
    world.haproxy.servers["blue-1"].sessions = 0
    assert world.traffic.drain("blue-1")["states"]["blue-1"] == "DRAIN"
    assert world.traffic.ready("blue-1")["states"]["blue-1"] == "UP"
    assert world.haproxy.weights() == ALL_BLUE


def test_the_last_server_of_the_live_colour_is_not_drained(world: World) -> None:
    world.haproxy.servers["blue-2"].healthy = False
    with pytest.raises(RefusedError, match="blue-1 is the last server of the live colour blue"):
        world.traffic.drain("blue-1")
    assert world.haproxy.servers["blue-1"].state == "ready"


def test_it_is_when_the_other_colour_may_stand_in(world: World) -> None:
    world.haproxy.servers["blue-2"].healthy = False
    world.traffic.ready("green-1", fallback=True)
    world.traffic.drain("blue-1")
    assert "green-1" in world.haproxy.standing_in()


def test_what_is_deployed_to_the_fallback_is_not_trusted(world: World) -> None:
    world.traffic.promote("green")
    world.traffic.drain("blue-1")
    world.traffic.ready("blue-1")
    assert world.memory.fallback == ("blue-2",)
    assert "blue-1" not in world.haproxy.standing_in()


def test_ready_says_when_a_server_does_not_become_healthy(world: World) -> None:
    world.haproxy.servers["green-1"].healthy = False
    with pytest.raises(RefusedError, match="green-1 does not become healthy"):
        world.traffic.ready("green-1", patience=0.1)


def test_an_unknown_server_is_refused_with_the_known_ones(world: World) -> None:
    with pytest.raises(RefusedError, match=r"No server 'blue-9'\. Servers here: blue-1, blue-2"):
        world.traffic.drain("blue-9")


# ---- status, start, reload


def test_status_adds_what_a_server_answered_as_fallback(world: World) -> None:
    world.haproxy.servers["green-1"].answered = 7
    world.haproxy.servers["green-1-fallback"].answered = 5
    world.haproxy.servers["green-1"].errors = 2
    answer = world.traffic.status()
    assert answer["requests"]["green-1"] == 12
    assert answer["errors"]["green-1"] == 2
    assert answer["since"] == 1795233412


def test_a_start_begins_at_the_live_colour_whatever_a_canary_did(world: World) -> None:
    world.traffic.set("green", 0.5, lease=15)
    boot.prepare(world.traffic)
    rows = [line.split() for line in world.traffic.config.server_state.read_text().splitlines()[2:]]
    weights = {row[3]: int(row[7]) for row in rows if row and not row[3].endswith("fallback")}
    assert weights == ALL_BLUE
    assert world.memory.lease is None
    assert not world.timer.armed


def test_a_reload_keeps_the_candidates_share_while_its_lease_lasts(world: World) -> None:
    world.traffic.set("green", 0.5, lease=15)
    raised = world.haproxy.weights()
    boot.save(world.traffic)
    world.haproxy.pid += 1
    boot.restore(world.traffic)
    assert world.haproxy.weights() == raised


def test_prepare_starts_haproxy_on_a_full_disk(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    target = world.traffic.config.server_state
    target.write_text("of before")
    target.with_suffix(".new").mkdir()  # a path that nobody can write
    boot.prepare(world.traffic)
    assert not target.exists()
    assert f"{target} cannot be written" in capsys.readouterr().err


def test_restore_says_when_no_new_worker_came(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot, "PATIENCE", 0.1)
    boot.save(world.traffic)
    with pytest.raises(RefusedError, match="No new HAProxy worker"):
        boot.restore(world.traffic)


def test_haproxy_that_is_away_is_a_sentence(tmp_path: Path) -> None:
    with proxy(tmp_path) as world:
        pass
    with pytest.raises(RefusedError, match="HAProxy does not respond on"):
        world.traffic.status()


def test_a_live_colour_that_nobody_wrote_is_not_guessed(world: World) -> None:
    (world.memory.directory / "live").unlink()
    with pytest.raises(RefusedError, match="live colour is not known"):
        world.traffic.release()


def test_a_leased_promotion_is_refused_once_the_traffic_was_returned(world: World) -> None:
    world.traffic.set("green", 0.2, lease=9)
    world.traffic.release()
    with pytest.raises(RefusedError, match="green has no lease: somebody returned its traffic"):
        world.traffic.promote("green", leased=True)
    assert world.haproxy.weights() == ALL_BLUE
    world.traffic.set("green", 0.2, lease=9)
    for _ in range(2):  # the second time it is live
        world.traffic.promote("green", leased=True)
        assert world.haproxy.weights() == ALL_GREEN


def test_canary_reads_what_the_proxy_measures(world: World) -> None:
    """The proxy's program and canary share no code, so each has a list of the measures."""
    answer = world.traffic.status()
    status = parse_status(json.dumps(answer))
    assert set(status.counters) == {*runtime.COUNTERS, *runtime.TIMES}
    assert status.counters == {name: answer[name] for name in status.counters}
    assert all(counts.keys() == status.weights.keys() for counts in status.counters.values())
