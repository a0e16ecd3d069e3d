"""The page of a running canary: the files that it writes, and the pages of the server."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from canary.errors import CanaryError
from canary.live.files import LiveFiles, newest, read
from canary.live.page import note, page
from canary.live.server import LiveServer, serve
from canary.model import Event, Finding, Judgement, Verdict
from canary.policy import load_policy
from canary.simulation import World, policy_text
from tests.support.report_examples import judgements, recording
from tests.unit.canary.cli_shell import Shell, replaced, shell

canary = pytest.fixture(shell, name="canary")
START = Event(5, "step", "green carries 5 %")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The directory of one canary, with its policy."""
    directory = tmp_path / "canaries" / "20261128T090000Z-0001"
    directory.mkdir(parents=True)
    (directory / "policy.yml").write_text(policy_text(), encoding="utf-8")
    return directory


@pytest.fixture
def server(place: Path) -> Iterator[LiveServer]:
    with serve(place.parent, None, 0) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.02,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def asked(server: LiveServer, path: str = "", host: str = "") -> tuple[int, str]:
    request = urllib.request.Request(server.address + path)  # noqa: S310 - loopback
    if host:
        request.add_header("Host", host)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def state(server: LiveServer) -> dict[str, str]:
    found: dict[str, str] = json.loads(asked(server, "state")[1])
    return found


def test_what_is_written_reads_back_equal(place: Path) -> None:
    files, made = LiveFiles(place), judgements(0.15, Verdict.FAIL)
    files.event(START)
    for count in range(1, len(made) + 1):
        files.look(recording(0.15), made[:count])
    found = read(place)
    assert found.events == (START,)
    assert found.judgements == tuple(made)
    assert found.recording == replace(recording(0.15), events=(START,))
    assert found.outcome is None


def test_an_open_interval_reads_back_too(place: Path) -> None:
    finding = Finding("m", Verdict.FAIL, "s", critical=True, low=float("-inf"), high=float("inf"))
    made = Judgement(at=5, verdict=Verdict.FAIL, reason="r", findings=(finding,))
    LiveFiles(place).look(recording(), [made])
    assert read(place).judgements == (made,)


def test_half_a_line_is_not_read(place: Path) -> None:
    LiveFiles(place).event(START)
    with (place / "live/events.jsonl").open("a") as file:
        file.write('{"time": 6, "ki')
    assert read(place).events == (START,)


def test_a_disk_that_refuses_does_not_end_the_canary(place: Path) -> None:
    (place / "live").write_text("a file where the directory should be")
    files = LiveFiles(place)
    files.event(START)
    files.look(recording(), judgements(0.0, Verdict.PASS))


def test_names_sort_by_time(place: Path) -> None:
    later = place.parent / "20261128T090500Z-0000"
    later.mkdir()
    assert newest(place.parent) == later
    assert newest(place.parent / "nowhere") is None


def test_the_page_follows_a_canary_from_its_start_to_its_verdict(
    place: Path, server: LiveServer
) -> None:
    pages: list[str] = []

    class Follower(LiveFiles):
        def event(self, event: Event) -> None:
            super().event(event)
            pages.append(asked(server)[1])

        def look(self, *given: object) -> None:
            super().look(*given)  # type: ignore[arg-type]
            if len(given[1]) in (1, 8):  # type: ignore[arg-type]
                pages.append(asked(server)[1])

    before = state(server)["version"]
    World().run(place.name, "v1.2", place, Follower(place))
    seen = "".join(pages)
    for words in ("STARTING", "deploy hook starts", "WATCHING", "10 % of traffic on green"):
        assert words in seen, words
    status, last = asked(server)
    assert status == 200
    assert "<title>FAIL: v1.2 in simulation</title>" in last
    assert "blue carries all traffic." in last
    assert state(server)["version"] != before


def test_a_pass_that_has_not_served_its_time_is_not_final(place: Path) -> None:
    files = LiveFiles(place)
    files.look(recording(), judgements(0.0, Verdict.PASS))
    policy = load_policy(place / "policy.yml")
    assert "<title>PASS so far: " in page(read(place), policy)


def test_a_canary_that_could_not_run_shows_why(place: Path) -> None:
    LiveFiles(place).event(START)
    outcome = {"verdict": None, "reason": "No route to the proxy", "traffic": "Nothing moved."}
    (place / "outcome.json").write_text(json.dumps(outcome))
    shown = page(read(place), load_policy(place / "policy.yml"))
    for words in ("COULD NOT RUN", "No route to the proxy", "Nothing moved.", START.sentence):
        assert words in shown


def test_silence_is_said_while_the_canary_runs(place: Path) -> None:
    LiveFiles(place).event(START)
    found = read(place)
    assert note(found, found.changed + 10) == ""
    assert note(found, found.changed + 300).startswith("No news for 5 min")
    over = replace(found, outcome={})
    assert note(over, found.changed + 300) == ""


def test_without_a_canary_there_is_a_page_that_waits(tmp_path: Path) -> None:
    with serve(tmp_path / "test" / "canaries", None, 0) as found:
        assert "No canary has run in test yet" in found.page()
        assert found.state() == {"version": "none", "note": ""}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_page_of_another_site_learns_nothing(server: LiveServer, host: str) -> None:
    """A request for a foreign name that resolves to 127.0.0.1 is refused (DNS rebinding)."""
    status, text = asked(server, "state", host or "localhost.evil:1")
    assert status == 403
    assert text == f"Open {server.address}\n"


@pytest.mark.parametrize("host", ["localhost", "localhost:9999", "127.0.0.1:1", "[::1]:80"])
def test_a_tunnel_may_have_another_port(server: LiveServer, host: str) -> None:
    assert asked(server, "state", host)[0] == 200


def test_there_is_nothing_else_to_read(server: LiveServer) -> None:
    for path in ("policy.yml", "../../etc/passwd", "live/recording.json", "?x"):
        assert asked(server, path)[0] == 404


def test_a_damaged_file_is_told_in_a_sentence(place: Path, server: LiveServer) -> None:
    LiveFiles(place).look(recording(), judgements(0.0, Verdict.PASS))
    (place / "live/recording.json").write_text("{")
    status, text = asked(server)
    assert status == 500
    assert "is not JSON" in text
    assert "Traceback" not in text


def test_a_port_that_is_taken_is_refused_in_a_sentence(server: LiveServer) -> None:
    with pytest.raises(CanaryError, match="Name another one: --port 0"):
        serve(Path(), None, server.server_port)


def test_a_real_run_writes_what_the_page_needs(
    canary: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = replaced(monkeypatch)

    def context_of(*given: object) -> object:
        _, world.request, _, world.observer, *_ = given  # type: ignore[assignment]
        return world.context()

    monkeypatch.setattr("canary.cli.release.context_of", context_of)
    assert canary("run", "--env", "test", "--candidate", "v2")[0] == 0
    directory = newest(Path(".run/test/canaries"))
    assert directory is not None
    found = read(directory)
    assert found.outcome is not None
    assert found.outcome["verdict"] == "PASS"
    assert found.judgements
    assert "end" in [event.kind for event in found.events]


def test_an_unknown_canary_is_refused(canary: Shell) -> None:
    status, _, err = canary("watch", "nothing", "--env", "test")
    assert status == 2
    assert "There is no canary nothing in .run/test/canaries" in err
