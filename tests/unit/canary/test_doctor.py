"""``canary doctor``: each planted fault is found, with a sentence and a command."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from botocore.parsers import ResponseParserError
from click.testing import CliRunner
from moto import mock_aws

from canary.cli import cli
from canary.doctor.examine import CHECKS
from canary.doctor.finding import Level
from canary.doctor.needs import Needs, load_needs
from canary.doctor.service import environment_of, metrics
from canary.errors import PolicyError
from canary.policy import load_policy
from tests.unit.canary.doctor_world import (
    ME,
    REGION,
    Reported,
    Silent,
    World,
    certificate,
    found,
    launch,
    level_of_others,
    needs_in,
    write_policy,
)


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unchecked-by-moto")
    monkeypatch.chdir(tmp_path)
    with mock_aws():
        yield


@pytest.fixture
def needs(tmp_path: Path) -> Needs:
    return needs_in(tmp_path)


@pytest.fixture
def world(needs: Needs) -> World:
    ec2 = boto3.client("ec2", REGION)
    group = ec2.create_security_group(GroupName=needs.door, Description="proxy")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp=f"{ME}/32"
    )
    host = launch(role="proxy")
    write_policy(needs, host)
    for colour in ("blue", "green"):
        launch(role="app", colour=colour)
    return World(needs)


def test_an_account_in_order_has_no_problem(world: World, needs: Needs) -> None:
    assert level_of_others(world, needs, "") == {Level.OK}
    assert list(found(world, needs)) == [name for name, _ in CHECKS]


def wrong_account(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    return needs.model_copy(update={"account": "210987654321"})


def missing_right(world: World, needs: Needs) -> Needs:
    world.stubs["iam"].denied.add("iam:PassRole")
    return needs


def small_quota(world: World, needs: Needs) -> Needs:
    world.stubs["service-quotas"].value = 5.0  # that of a new account
    return needs


def no_zone(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    return needs.model_copy(update={"instances": {"t3.small": 6, "u-24tb1.metal": 1}})


def no_image(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    image = needs.image.model_copy(update={"name": "debian-99-*"})
    return needs.model_copy(update={"image": image})


def wrong_clock(world: World, needs: Needs) -> Needs:
    world.skew = -90
    return needs


def moved(world: World, needs: Needs) -> Needs:
    world.seen_as = "198.51.100.9"
    return needs


def moved_but_not_applied(world: World, needs: Needs) -> Needs:
    world.seen_as = "198.51.100.9"
    return needs.model_copy(update={"administrators": ["198.51.100.9/32"]})


def expired(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    certificate(Path(needs.certificates[0]).parent, days=3)
    return needs


def unconfirmed(world: World, needs: Needs) -> Needs:
    world.stubs["sns"].subscription = "PendingConfirmation"
    return needs


def unsubscribed(world: World, needs: Needs) -> Needs:
    world.stubs["sns"].addresses = ()
    return needs


def stale_policy(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    write_policy(needs, "192.0.2.1")
    return needs


def policy_of_another_region(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    write_policy(needs, "192.0.2.1", region="us-east-1")
    return needs


SITE = "ansible-playbook -i inventory/aws site.yml"
FAULTS = [
    (wrong_account, "credentials", "belongs to account 210987654321", "export AWS_PROFILE="),
    (missing_right, "rights", "may not: iam:PassRole", "policy"),
    (small_quota, "quota", "14 vCPUs are needed", "request-service-quota-increase"),
    (no_zone, "zones", "offers t3.small and u-24tb1.metal", "instances_type"),
    (no_image, "image", "is called debian-99-*", "instances_image"),
    (wrong_clock, "clock", "s behind of AWS", "timedatectl"),
    (moved, "address", "Your address is 198.51.100.9", "CART_CANARY_ADMIN_CIDR=198.51.100.9/32"),
    (moved_but_not_applied, "address", "security group shop-aws-proxy admits 203.0.113.7/32", SITE),
    (expired, "certificate", "expires in 2 days", SITE),
    (unconfirmed, "mail", "has not confirmed", "aws sns subscribe"),
    (unsubscribed, "mail", "ops@example.org is not subscribed", SITE),
    (stale_policy, "policy", "is out of date: it names proxy 192.0.2.1", "--tags analyzer"),
    (policy_of_another_region, "policy", "is of region us-east-1", "--tags analyzer"),
]


@pytest.mark.parametrize(("plant", "check", "sentence", "command"), FAULTS)
def test_a_planted_fault_is_found_with_a_sentence_and_a_command(
    plant: Callable[[World, Needs], Needs],
    check: str,
    sentence: str,
    command: str,
    world: World,
    needs: Needs,
) -> None:
    changed = plant(world, needs)
    finding = found(world, changed)[check]
    assert finding.level is Level.PROBLEM
    assert sentence in finding.sentence
    assert command in finding.command
    if plant is not wrong_clock and plant is not no_zone:
        assert level_of_others(world, changed, check) == {Level.OK}


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
    world: World, needs: Needs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("canary.doctor.cloud.Cloud", lambda _: world)
    Path(".run/aws").mkdir(parents=True)
    Path(".run/aws/needs.json").write_text(needs.model_dump_json(), encoding="utf-8")
    well = CliRunner().invoke(cli, ["doctor", "--env", "aws"])
    assert well.exit_code == 0, well.output
    assert "0 problems, 1 unknown, 10 in order" in well.output
    world.seen_as = "198.51.100.9"
    ill = CliRunner().invoke(cli, ["doctor", "--env", "aws"])
    assert ill.exit_code == 1
    assert "export CART_CANARY_ADMIN_CIDR=198.51.100.9/32 && ansible-playbook" in ill.output
    as_json = CliRunner().invoke(cli, ["doctor", "--env", "aws", "--json"])
    assert as_json.exit_code == 1
    (one,) = [each for each in json.loads(as_json.output) if each["level"] == "problem"]
    assert (one["check"], one["sentence"][:15]) == ("address", "Your address is")


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "playbooks/doctor.yml"), ("{}", "account: Field required"), ("[", "not valid")],
)
def test_needs_that_cannot_be_read_are_a_sentence(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "needs.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=words):
        load_needs(path)
