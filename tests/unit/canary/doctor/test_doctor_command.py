"""``canary doctor``: late metrics, impossible checks, the command and its file."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest
from botocore.parsers import ResponseParserError

from canary.cli import main
from canary.doctor.finding import Level
from canary.doctor.needs import Needs, load_needs
from canary.doctor.reach import certificate
from canary.doctor.service import environment_of, metrics
from canary.errors import PolicyError
from canary.policy import load_policy
from tests.unit.canary.doctor.stubs import Silent
from tests.unit.canary.doctor.world import (
    ME,
    Reported,
    World,
    found,
    write_policy,
)


@pytest.mark.parametrize(
    ("late", "level", "words"),
    [
        (20, Level.OK, "settle is 20 s"),
        (95, Level.PROBLEM, "The newest period ended 95 s ago"),
        (None, Level.UNKNOWN, "No instance reported"),
    ],
)
def test_late_metrics_propose_a_settle(
    needs: Needs, late: int | None, level: Level, words: str
) -> None:
    write_policy(needs, "192.0.2.1")
    rules, environment = load_policy(Path(needs.policy)), environment_of(needs)
    now = 1_800_000_000.0
    newest = None if late is None else int(now) - 10 * math.ceil(late / 10) - 10
    moment = now if newest is None or late is None else newest + 10.0 + late
    finding = metrics(Reported(newest), rules, environment, moment)
    assert finding.level is level
    assert words in finding.sentence
    assert ("canary_settle: 100" in finding.command) == (level is Level.PROBLEM)


def test_what_the_account_does_not_answer_is_unknown_and_no_traceback(
    world: World, needs: Needs
) -> None:
    silent = Silent()
    world.stubs |= {"iam": silent, "service-quotas": silent}
    levels = {name: finding.level for name, finding in found(world, needs).items()}
    assert levels["rights"] is levels["quota"] is Level.UNKNOWN


def test_an_answer_that_is_a_page_is_unknown_and_short(world: World, needs: Needs) -> None:
    class Page:
        def get_service_quota(self, **_: object) -> None:
            raise ResponseParserError("Unable to parse response: " + "<html>" * 500)

    world.stubs["service-quotas"] = Page()
    finding = found(world, needs)["quota"]
    assert finding.level is Level.UNKNOWN
    assert len(finding.sentence) < 300


def test_the_command_tells_problems_by_its_exit_status(
    world: World,
    needs: Needs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("canary.doctor.cloud.Cloud", lambda _: world)
    Path(".run/aws").mkdir(parents=True)
    Path(".run/aws/needs.json").write_text(needs.model_dump_json(), encoding="utf-8")

    def doctor(*options: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["canary", "doctor", "--env", "aws", *options])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(str(ended.value.code)), capsys.readouterr().out

    status, text = doctor()
    assert (status, "0 problems, 1 unknown, 11 in order" in text) == (0, True)
    world.seen_as = "198.51.100.9"
    status, text = doctor()
    assert status == 1
    assert "export CART_CANARY_ADMIN_CIDR=198.51.100.9/32 && ansible-playbook" in text
    assert doctor("--before-site")[0] == 1
    status, text = doctor("--json")
    assert status == 1
    (one,) = [each for each in json.loads(text) if each["level"] == "problem"]
    assert (one["check"], one["sentence"][:15]) == ("address", "Your address is")
    world.seen_as = ME
    world.stubs["sns"].addresses = ()
    status, text = doctor("--before-site")
    assert (status, "1 problems" in text) == (0, True)


def test_a_certificate_that_site_yml_makes_is_no_problem(world: World, needs: Needs) -> None:
    Path(needs.certificates[0]).unlink()
    own = needs.model_copy(update={"authority": "authority.pem"})
    assert certificate(world, own).level is Level.UNKNOWN
    assert certificate(world, needs).level is Level.PROBLEM


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "playbooks/doctor.yml.*canary check FILE"),
        ("{}", "account: Field required"),
        ("[", "not valid"),
    ],
)
def test_needs_that_cannot_be_read_are_a_sentence(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "needs.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=words):
        load_needs(path)
