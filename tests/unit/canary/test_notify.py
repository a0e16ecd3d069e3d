"""``environment: notify``: messages about a canary, which neither delay nor end it."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from canary.cli.notify import addresses, sender
from canary.errors import ExtraError, PolicyError, SourceError
from canary.model import Event
from canary.rollout import notify
from canary.rollout.notify import MOST_TROUBLES, Notifier
from tests.unit.canary.rollout_fakes import Troubles
from tests.unit.canary.rollout_world import FAIL, OPEN, World, after, go


class Channel:
    """Records the messages."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sent: list[tuple[str, str]] = []
        self.complaints: list[str] = []
        self.notifier = Notifier(self.send, "canary v2 on test", self.complaints.append)
        world.observer = self.notifier

    def send(self, title: str, body: str) -> bool:
        self.sent.append((title.removeprefix("canary v2 on test: "), body))
        return True

    def titles(self) -> list[str]:
        self.notifier.close()
        return [title for title, _ in self.sent]


def test_start_and_verdict_are_told() -> None:
    world = World(after(30, FAIL))
    channel = Channel(world)
    go(world)
    assert channel.titles() == ["started", "FAIL"]
    assert channel.sent[-1][1] == "FAIL: FAIL at 30. blue carries all traffic."


def test_what_a_person_must_decide_is_told_with_what_to_type() -> None:
    world = World(approve="promote", hold=30.0)
    channel = Channel(world)
    go(world)
    assert channel.titles() == ["started", "waits for a decision", "INCONCLUSIVE"]
    assert "canary approve --env test c1 promote" in channel.sent[1][1]
    world = World(after(30, FAIL), on_fail="freeze", hold=30.0)
    channel = Channel(world)
    go(world)
    assert channel.titles() == ["started", "waits for a decision", "FAIL"]
    assert "canary rollback --env test" in channel.sent[1][1]


def test_a_failure_that_is_no_verdict_is_told() -> None:
    for first, told in ((0, ["could not run"]), (30, ["warning", "INCONCLUSIVE"])):
        troubles = Troubles(lasting=("source.read", first, SourceError("no response")))
        channel = Channel(World(after(0, OPEN), troubles))
        go(channel.world)
        assert channel.titles() == ["started", *told]
        assert "no response" in channel.sent[1][1]


def test_a_problem_that_repeats_is_told_once_and_many_are_cut_off() -> None:
    channel = Channel(World())
    for sentence in ["the same", "the same", *(f"number {n}" for n in range(50))]:
        channel.notifier.event(Event(0, "warning", sentence))
    assert channel.titles() == ["started", *["warning"] * MOST_TROUBLES]


def test_a_channel_that_fails_or_hangs_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "PATIENCE", 0.1)
    release = threading.Event()

    def fails(*_: str) -> bool:
        raise OSError("no network")

    for send, complaint in (
        (fails, "could not be sent (canary v2 on test: started): no network"),
        (lambda *_: False, "was not accepted"),
        (lambda *_: release.wait(60), "Not all messages were sent within 0 s"),
    ):
        complaints: list[str] = []
        world = World(after(0, OPEN))
        world.observer = notifier = Notifier(send, "canary v2 on test", complaints.append)
        assert go(world).verdict == OPEN
        notifier.close()
        assert complaint in complaints[0]
    release.set()


def test_addresses_take_their_secrets_from_the_environment() -> None:
    assert addresses(["slack://${A}/${B}", "json://x"], {"A": "1", "B": "2"}) == [
        "slack://1/2",
        "json://x",
    ]
    with pytest.raises(PolicyError, match=r"notify needs A, which is not set\. Type: export A="):
        addresses(["slack://${A}/x"], {"A": ""})


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Yield apprise's address of a small web server, and the requests that it receives."""
    received: list[dict[str, str]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"json://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    server.server_close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_apprise_sends_the_message(webhook: tuple[str, list[dict[str, str]]]) -> None:
    address, received = webhook
    assert sender([address])("canary v2 on test: FAIL", "Errors: 3 %")
    (message,) = received
    assert (message["title"], message["message"]) == ("canary v2 on test: FAIL", "Errors: 3 %")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("address", ["nonsense://secret", "hooks.example.org/secret"])
def test_a_wrong_address_is_refused_without_its_secret(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PolicyError, match=r"item 1 .* is no address that apprise knows") as refused:
        sender([address])
    assert "secret" not in str(refused.value) + "".join(capsys.readouterr())


def test_without_apprise_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ExtraError, match=r"pip install 'cart-canary\[notify\]'"):
        sender(["json://x"])
