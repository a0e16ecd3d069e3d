"""What ``shop-traffic`` does to the proxy, and what it refuses to do."""

from __future__ import annotations

import bisect
import random
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop_traffic import boot, cli, plan, ring
from shop_traffic.config import Config, RefusedError, Server
from shop_traffic.releases import releases

from tests.support.proxy_world import SERVERS, World, proxy

ALL_BLUE = {"blue-1": 256, "blue-2": 256, "green-1": 0, "green-2": 0}
ALL_GREEN = {"blue-1": 0, "blue-2": 0, "green-1": 256, "green-2": 256}
BLUE, GREEN = ("blue-1", "blue-2"), ("green-1", "green-2")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with proxy(tmp_path) as made:
        yield made


def shares(weights: dict[str, int]) -> dict[str, float]:
    return ring.shares(ring.points(SERVERS), weights)


# ---- a candidate gets its share


def test_set_gives_the_candidate_its_true_share(world: World) -> None:
    answer = world.traffic.set("green", 0.2, lease=15)
    found = shares(world.haproxy.weights())
    assert ring.colour_share(found, GREEN) == pytest.approx(0.2, abs=0.005)
    assert answer["weights"] == world.haproxy.weights()
    assert sum(answer["shares"].values()) == pytest.approx(1)
    assert answer["candidate"] == "green"


def test_every_weight_goes_in_one_command_line_and_what_rises_comes_first(world: World) -> None:
    world.traffic.set("green", 0.2, lease=15)
    (line,) = [line for line in world.haproxy.lines if "weight" in line]
    assert line.count("weight") == len(SERVERS)
    weights = [int(part.split()[4]) for part in line.split("; ") if "weight" in part]
    assert weights == sorted(weights, reverse=True)


def test_a_matched_baseline_carries_what_a_candidate_carries(world: World) -> None:
    world.traffic.set("green", 0.2, lease=15, baseline="blue-1")
    found = shares(world.haproxy.weights())
    assert found["blue-1"] == pytest.approx(0.1, abs=0.005)
    assert found["green-1"] == pytest.approx(0.1, abs=0.005)
    assert found["blue-2"] == pytest.approx(0.7, abs=0.01)


def test_a_server_that_is_down_gets_what_its_siblings_have(world: World) -> None:
    world.haproxy.servers["green-2"].healthy = False
    world.traffic.set("green", 0.2, lease=15)
    weights = world.haproxy.weights()
    assert weights["green-2"] == weights["green-1"] > 0
    up = {name: weight for name, weight in weights.items() if name != "green-2"}
    assert shares(up)["green-1"] == pytest.approx(0.2, abs=0.005)


@pytest.mark.parametrize(
    ("candidate", "share", "baseline", "sentence"),
    [
        ("blue", 0.1, None, "blue is live"),
        ("red", 0.1, None, "No colour 'red'. Colours here: blue, green."),
        ("green", 0.0, None, "For 0: release"),
        ("green", 1.1, None, "at most 1"),
        ("green", float("nan"), None, "at most 1"),
        ("green", 0.0001, None, "below what weights can carry"),
        ("green", 0.9, "blue-1", "--share 0.6667 at most"),
        ("green", 0.1, "green-1", "green-1 cannot be the baseline"),
    ],
)
def test_set_refuses_in_words(
    world: World, candidate: str, share: float, baseline: str | None, sentence: str
) -> None:
    with pytest.raises(RefusedError, match=sentence):
        world.traffic.set(candidate, share, 15, baseline)
    assert world.haproxy.weights() == ALL_BLUE
    assert not world.timer.armed


def test_set_refuses_a_candidate_that_is_not_up(world: World) -> None:
    for name in GREEN:
        world.haproxy.servers[name].healthy = False
    with pytest.raises(RefusedError, match="green-1 is DOWN, green-2 is DOWN"):
        world.traffic.set("green", 0.1, lease=15)


@pytest.mark.parametrize("lease", [0, 0.5, 3601, float("nan")])
def test_a_lease_is_between_a_second_and_an_hour(world: World, lease: float) -> None:
    with pytest.raises(RefusedError, match="not between 1 and 3600"):
        world.traffic.set("green", 0.1, lease)


def test_weights_that_haproxy_does_not_keep_are_noticed_and_taken_back(world: World) -> None:
    world.haproxy.deaf_to = "green-1"
    with pytest.raises(RefusedError, match=r"did not keep the weights.*'green-1': 0"):
        world.traffic.set("green", 0.2, lease=15)
    assert world.haproxy.weights() == ALL_BLUE
    assert world.memory.lease is None


# ---- and loses it


def test_the_way_back_is_armed_before_the_way_forth_is_taken(world: World) -> None:
    seen: list[dict[str, int]] = []
    arm = world.timer.arm

    def spy(seconds: float) -> str:
        seen.append(world.haproxy.weights())
        return arm(seconds)

    world.timer.arm = spy  # type: ignore[method-assign]
    world.traffic.set("green", 0.2, lease=15)
    assert seen == [ALL_BLUE]
    assert list(world.timer.armed.values()) == [15]


def test_release_gives_the_live_colour_everything_and_disarms(world: World) -> None:
    world.traffic.set("green", 0.2, lease=15)
    for _ in range(2):
        world.traffic.release()
        assert world.haproxy.weights() == ALL_BLUE
        assert not world.timer.armed


def test_an_expired_lease_takes_the_traffic_back(world: World) -> None:
    world.traffic.set("green", 0.2, lease=15)
    (lease,) = world.timer.armed
    world.traffic.release(expired=lease)
    assert world.haproxy.weights() == ALL_BLUE


def test_the_timer_of_a_renewed_lease_does_nothing(world: World) -> None:
    world.traffic.set("green", 0.2, lease=15)
    (old,) = world.timer.armed
    world.traffic.renew(lease=15)
    assert old not in world.timer.armed
    assert len(world.timer.armed) == 1
    raised = world.haproxy.weights()
    world.traffic.release(expired=old)
    assert world.haproxy.weights() == raised


def test_renew_refuses_without_a_lease(world: World) -> None:
    with pytest.raises(RefusedError, match="no lease to renew: blue carries all traffic"):
        world.traffic.renew(lease=15)


def test_renew_refuses_when_haproxy_has_begun_anew(world: World) -> None:
    world.traffic.set("green", 0.2, lease=15)
    world.haproxy.servers["green-1"].weight = 0
    with pytest.raises(RefusedError, match=r"not those that were set: \{'green-1': 0\}"):
        world.traffic.renew(lease=15)


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
    with pytest.raises(RefusedError, match=r"still answers requests after 0\.1 s"):
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
    target.with_suffix(".new").mkdir()  # what cannot be written, whoever runs the test
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
    with pytest.raises(RefusedError, match="HAProxy does not answer on"):
        world.traffic.status()


def test_a_live_colour_that_nobody_wrote_is_not_guessed(world: World) -> None:
    (world.memory.directory / "live").unlink()
    with pytest.raises(RefusedError, match="live colour is not known"):
        world.traffic.release()


# ---- the ring


def test_full_hash_is_haproxys() -> None:
    # Expected: include/haproxy/tools.h of HAProxy 2.6, compiled; the integration test asks HAProxy.
    assert ring.full_hash(0) == full_hash_in_c(0)
    assert ring.full_hash(101 * 4096) == full_hash_in_c(101 * 4096)


def full_hash_in_c(value: int) -> int:
    """Compute with 32-bit C arithmetic, one operation a line."""
    numpy = pytest.importorskip("numpy")
    with numpy.errstate(over="ignore"):
        a = numpy.uint32(value)
        a = (a + numpy.uint32(0x7ED55D16)) + (a << numpy.uint32(12))
        a = (a ^ numpy.uint32(0xC761C23C)) ^ (a >> numpy.uint32(19))
        a = (a + numpy.uint32(0x165667B1)) + (a << numpy.uint32(5))
        a = (a + numpy.uint32(0xD3A2646C)) ^ (a << numpy.uint32(9))
        a = (a + numpy.uint32(0xFD7046C5)) + (a << numpy.uint32(3))
        a = (a ^ numpy.uint32(0xB55A4F09)) ^ (a >> numpy.uint32(16))
        return int(a * numpy.uint32(3221225473))


def test_shares_add_up_and_a_weight_of_zero_has_none() -> None:
    found = shares({"blue-1": 256, "blue-2": 3, "green-1": 0, "green-2": 17})
    assert sum(found.values()) == pytest.approx(1)
    assert found["green-1"] == 0
    assert shares(dict.fromkeys(ALL_BLUE, 0)) == dict.fromkeys(ALL_BLUE, 0)


@settings(max_examples=12, deadline=None)
@given(st.floats(0.01, 1.0), st.integers(1, 3), st.integers(1, 3))
def test_the_nearest_weights_miss_a_share_by_little(
    share: float, candidates: int, live: int
) -> None:
    names = [f"green-{n}" for n in range(candidates)] + [f"blue-{n}" for n in range(live)]
    servers = [Server(n, n.split("-")[0], 100 + i, "", 0) for i, n in enumerate(names)]
    circle = ring.points(servers)
    split = plan.Split(tuple(names[:candidates]), tuple(names[candidates:]))
    weights = plan.choose(circle, split, share)
    found = ring.colour_share(ring.shares(circle, weights), split.candidate)
    # One step of weight is at most 1/256 of a server; a point's own luck is a little more.
    assert found == pytest.approx(share, abs=0.012)
    assert all(0 <= weight <= 256 for weight in weights.values())


def test_a_shopper_stays_on_the_candidate_while_its_share_rises() -> None:
    circle = ring.points(SERVERS)
    rng = random.Random(20261120)  # noqa: S311 - not for secrets
    shoppers = [rng.randrange(ring.CIRCLE) for _ in range(1000)]
    before: set[int] = set()
    for share in (0.05, 0.2, 0.5, 0.8, 1.0):
        weights = plan.choose(circle, plan.Split(GREEN, BLUE), share)
        served = nearest(circle, weights, shoppers)
        now = {shopper for shopper in shoppers if served[shopper] in GREEN}
        assert before <= now
        before = now
    assert len(before) == len(shoppers)


def nearest(circle: ring.Points, weights: dict[str, int], places: Iterable[int]) -> dict[int, str]:
    """Return the server for each place, in the order in which HAProxy looks."""
    points = [(place, name) for place, index, name in circle if index < weights[name] * 16]
    found = {}
    for place in places:
        after = bisect.bisect_left(points, (place, ""))
        candidates = (points[after - 1], points[after % len(points)])
        found[place] = min(
            candidates,
            key=lambda p: min((p[0] - place) % ring.CIRCLE, (place - p[0]) % ring.CIRCLE),
        )[1]
    return found


# ---- the door


@pytest.mark.parametrize(
    "line",
    [
        "",
        "prepare",
        "restore",
        "sh",
        "status; reboot",
        "release --expired x",
        "release --expired=x",
        "'",
        "$(id)",
    ],
)
def test_the_door_opens_to_public_words_alone(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", line)
    monkeypatch.setattr(cli, "main", lambda _: pytest.fail("it opened"))
    with pytest.raises(SystemExit) as refused:
        cli.door()
    assert str(refused.value).startswith("shop-traffic: ")


@pytest.mark.parametrize("line", ["status", "shop-traffic status", "renew --lease 15"])
def test_the_door_passes_words_on(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[list[str]] = []
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", line)
    monkeypatch.setattr(cli, "main", passed.append)
    cli.door()
    assert passed == [line.removeprefix("shop-traffic ").split()]


@pytest.mark.parametrize("seconds", ["inf", "nan", "-1", "1e9", "soon"])
def test_a_wait_has_an_end(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("drain", "ready"):
        with pytest.raises(SystemExit) as refused:
            cli.main([command, "--server", "blue-1", "--wait", seconds])
        assert refused.value.code == 2
        assert "is not a number of seconds up to 3600" in capsys.readouterr().err


class Named(BaseHTTPRequestHandler):
    """Answers with a release in its header, and unhealthy."""

    said = "1a2b3c4d5e6f"

    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/ready" else 404)
        self.send_header("X-Release", self.said)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("1a2b3c4d5e6f", "1a2b3c4d5e6f"),
        ("v1.5.0-rc.1", "v1.5.0-rc.1"),
        ("<script>", ""),
        ("", ""),
        ("x" * 500, ""),
    ],
)
def test_servers_are_asked_for_their_release(
    said: str, heard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Named, "said", said)
    with HTTPServer(("127.0.0.1", 0), Named) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        there = Server("blue-1", "blue", 1, "127.0.0.1", server.server_port)
        gone = Server("green-1", "green", 2, "127.0.0.1", 1)
        config = Config("shop", Path(), Path(), Path(), (there, gone))
        assert releases(config) == {"blue-1": heard, "green-1": ""}
        server.shutdown()


def test_a_word_that_does_not_exist_is_refused_with_those_that_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as refused:
        cli.main(["raise"])
    assert refused.value.code == 2
    assert "promote" in capsys.readouterr().err


def test_matched_needs_its_server(world: World) -> None:
    asked = cli.parser().parse_args(
        ["set", "--candidate", "green", "--share", "0.1", "--lease", "9", "--matched"]
    )
    with pytest.raises(RefusedError, match="go together"):
        cli.answer(world.traffic, asked)
