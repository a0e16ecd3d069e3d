"""The proxy's commands over SSH: the request, the checked response, the error sentences."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from canary.environment import HaproxyTraffic
from canary.errors import TrafficError
from canary.traffic.base import Status
from canary.traffic.haproxy import Haproxy, parse_status

ANSWER: dict[str, Any] = {
    "live": "blue",
    "candidate": None,
    "lease": {"until": None},
    "fallback": ["green-1"],
    "weights": {"blue-1": 256, "green-1": 0},
    "shares": {"blue-1": 1.0, "green-1": 0.0},
    "states": {"blue-1": "UP", "green-1": "DOWN"},
    "since": 1_800_000_000,
    "requests": {"blue-1": 10, "green-1": 0},
    "errors": {"blue-1": 1, "green-1": 0},
    "retries": {"blue-1": 0, "green-1": 0},
    "redispatches": {"blue-1": 0, "green-1": 0},
    "connection_errors": {"blue-1": 0, "green-1": 0},
    "response_errors": {"blue-1": 0, "green-1": 0},
    "check_failures": {"blue-1": 0, "green-1": 3},
}
# Replaces ssh: records its arguments, then runs the script that a test wrote to `act`.
PROGRAM = """#!{python}
import json, os, pathlib, sys, time
here = pathlib.Path({directory!r})
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
exec((here / "act").read_text())
"""


class Ssh:
    """A proxy host as ssh shows it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.program = directory / "ssh"
        self.program.write_text(PROGRAM.format(python=sys.executable, directory=str(directory)))
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)
        self.does(f"print({json.dumps(json.dumps(ANSWER))})")

    def does(self, code: str) -> None:
        (self.directory / "act").write_text(code)

    def proxy(self, timeout: float = 10) -> Haproxy:
        settings = HaproxyTraffic(
            kind="haproxy", host="10.77.0.9", key="key", known_hosts="known", timeout=timeout
        )
        return Haproxy(settings, ssh=str(self.program))

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.directory / "calls").read_text().splitlines()]

    @property
    def words(self) -> list[str]:
        """Return the words after the destination in the last call."""
        call = self.calls[-1]
        return call[call.index("canary@10.77.0.9") + 1 :]


@pytest.fixture
def ssh(tmp_path: Path) -> Ssh:
    return Ssh(tmp_path)


def test_status_is_what_the_proxy_says(ssh: Ssh) -> None:
    status = ssh.proxy().status()
    assert status.live == "blue"
    assert status.fallback == ("green-1",)
    assert status.lease_until is None
    assert status.share("blue") == 1.0
    assert status.weight("green") == 0
    assert status.down("green") == ("green-1",)
    assert status.down("blue") == ()
    assert status.counters["check_failures"] == {"blue-1": 0, "green-1": 3}
    assert ssh.words == ["status"]


def test_the_words_are_those_of_shop_traffic(ssh: Ssh) -> None:
    proxy = ssh.proxy()
    proxy.set("green", 0.05, 9)
    assert ssh.words == ["set", "--candidate", "green", "--share", "0.05", "--lease", "9"]
    proxy.set("green", 1 / 3, 9, "blue-1")
    assert ssh.words[3:] == [
        *("--share", "0.333333", "--lease", "9", "--baseline-server", "blue-1", "--matched")
    ]
    proxy.renew(9)
    assert ssh.words == ["renew", "--lease", "9"]
    proxy.promote("green")
    assert ssh.words == ["promote", "--colour", "green"]
    proxy.release()
    assert ssh.words == ["release"]


def test_the_connection_is_pinned_and_asks_nobody(ssh: Ssh) -> None:
    ssh.proxy().status()
    call = ssh.calls[0]
    for option in ("BatchMode=yes", "StrictHostKeyChecking=yes", "UserKnownHostsFile=known"):
        assert option in call
    assert call[call.index("-i") + 1] == "key"
    assert "ControlMaster=auto" in call


def test_a_refusal_is_passed_on_in_its_own_words(ssh: Ssh) -> None:
    ssh.does("sys.exit('shop-traffic: green is live: the candidate is the other colour.')")
    with pytest.raises(TrafficError, match=r"set .* was refused: shop-traffic: green is live"):
        ssh.proxy().set("green", 0.05, 9)


def test_a_host_that_cannot_be_reached_brings_the_command_to_try(ssh: Ssh) -> None:
    ssh.does("sys.stderr.write('No route to host'); sys.exit(255)")
    with pytest.raises(TrafficError, match=r"No route to host\. Check by hand: ssh -i key"):
        ssh.proxy().status()


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("Host key verification failed.", r"ssh-keyscan -p 22 10.77.0.9 > known"),
        (
            "Warning: Identity file key not accessible: No such file or directory.",
            "Run the playbook with the role cart.canary.proxy first",
        ),
    ],
)
def test_a_newcomers_ssh_faults_bring_their_remedy(ssh: Ssh, said: str, remedy: str) -> None:
    ssh.does(f"sys.stderr.write({said!r}); sys.exit(255)")
    with pytest.raises(TrafficError, match=rf"[^.]\. .*{remedy}"):
        ssh.proxy().status()


def test_a_host_that_does_not_answer_is_not_waited_for_for_ever(ssh: Ssh) -> None:
    ssh.does("time.sleep(30)")
    with pytest.raises(TrafficError, match=r"did not respond within 0\.2 s"):
        ssh.proxy(timeout=0.2).status()


def test_a_missing_ssh_is_a_sentence() -> None:
    settings = HaproxyTraffic(kind="haproxy", host="h", key="k", known_hosts="n")
    with pytest.raises(TrafficError, match="could not be started"):
        Haproxy(settings, ssh="/nonexistent/ssh").status()


def test_release_does_not_depend_on_the_shared_connection(ssh: Ssh) -> None:
    answer = json.dumps(json.dumps(ANSWER))
    ssh.does(f"sys.exit(255) if 'ControlMaster=auto' in sys.argv else print({answer})")
    assert ssh.proxy().release().live == "blue"
    assert "ControlPath=none" in ssh.calls[-1]


def test_every_change_answers_the_status_that_it_led_to(ssh: Ssh) -> None:
    proxy, now = ssh.proxy(), parse_status(json.dumps(ANSWER))
    assert proxy.set("green", 0.05, 9) == now
    assert proxy.promote("blue") == now
    assert proxy.release() == now
    assert len(ssh.calls) == 3, "nobody asked for the status besides"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weights": {"blue-1": 300, "green-1": 0}}, "weights.blue-1"),
        ({"weights": {"blue-1": "many", "green-1": 0}}, "weights.blue-1"),
        ({"shares": {"blue-1": 1.5, "green-1": 0}}, "shares.blue-1"),
        ({"live": ""}, "live"),
        ({"lease": None}, "lease"),
        ({"requests": {"blue-1": -1}}, "requests.blue-1"),
        ({"states": {"blue-1": "UP"}}, "is incomplete for green-1"),
    ],
)
def test_an_answer_that_cannot_be_true_is_not_believed(
    change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(TrafficError, match=sentence):
        parse_status(json.dumps({**ANSWER, **change}))


@pytest.mark.parametrize("missing", ["live", "weights", "shares", "states", "lease", "requests"])
def test_an_answer_without_a_part_is_not_believed(missing: str) -> None:
    with pytest.raises(TrafficError, match=missing):
        parse_status(json.dumps({key: value for key, value in ANSWER.items() if key != missing}))


def test_no_answer_is_not_believed() -> None:
    with pytest.raises(TrafficError, match="not a status"):
        parse_status("")


def test_servers_come_in_natural_order() -> None:
    names = ("blue-10", "blue-2", "green-1", "blue-1")
    weights = dict.fromkeys(names, 1)
    status = Status("blue", weights, dict.fromkeys(names, 0.25), dict.fromkeys(names, "UP"))
    assert status.servers("blue") == ("blue-1", "blue-2", "blue-10")
