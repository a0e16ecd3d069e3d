"""``canary doctor``: each planted fault is found, with a sentence and a command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from canary.doctor.account import rights
from canary.doctor.examine import CHECKS
from canary.doctor.finding import Level
from canary.doctor.needs import Needs
from canary.doctor.quotas import quota
from tests.unit.canary.doctor_faults import FAULTS, MENDED, SEVERAL, own_resources
from tests.unit.canary.doctor_stubs import REGION
from tests.unit.canary.doctor_world import (
    ME,
    World,
    found,
    launch,
    levels_of_others,
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
    findings = found(world, needs)
    assert levels_of_others(findings, "") == {Level.OK}
    assert list(findings) == [name for name, _ in CHECKS]


@pytest.mark.parametrize(("plant", "check", "sentence", "command"), FAULTS)
def test_a_planted_fault_is_found_with_a_sentence_and_a_command(
    plant: Callable[[World, Needs], Needs],
    check: str,
    sentence: str,
    command: str,
    world: World,
    needs: Needs,
) -> None:
    findings = found(world, plant(world, needs))
    finding = findings[check]
    assert finding.level is Level.PROBLEM
    assert sentence in finding.sentence
    assert command in finding.command
    assert finding.blocking == (plant not in MENDED)
    if plant not in SEVERAL:
        assert levels_of_others(findings, check) == {Level.OK}


def test_a_second_run_needs_nothing_twice(needs: Needs) -> None:
    world = World(needs)
    assert quota(world, own_resources(world, needs)).level is Level.OK


@pytest.mark.parametrize(
    ("allowed", "missing", "level"),
    [
        ("role/shop-aws-*", [], Level.OK),
        ("role/other-*", [], Level.PROBLEM),
        ("role/other-*", ["aws:PrincipalTag/team"], Level.UNKNOWN),
    ],
)
def test_a_policy_may_allow_this_environments_resources_alone(
    needs: Needs, allowed: str, missing: list[str], level: Level
) -> None:
    world = World(needs)
    iam = world.stubs["iam"]
    own = {"Effect": "Allow", "Action": "iam:*", "Resource": f"arn:aws:iam::123456789012:{allowed}"}
    profile = {**own, "Resource": "arn:aws:iam::123456789012:instance-profile/shop-aws-*"}
    here = {"StringEquals": {"aws:RequestedRegion": REGION}}
    others = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*", "Condition": here}
    iam.statements, iam.missing = [own, profile, others], missing
    role = "arn:aws:iam::123456789012:role/shop-aws-app"
    known = {"iam": role, "instance-profile": profile["Resource"].replace("*", "app")}
    changed = needs.model_copy(update={"resources": known})
    assert rights(world, changed).level is level
