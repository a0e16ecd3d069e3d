"""``canary doctor``: each planted fault is found, with a sentence and a command."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from canary.doctor.account import rights
from canary.doctor.examine import CHECKS
from canary.doctor.finding import Level
from canary.doctor.needs import Needs
from canary.doctor.quotas import quota
from tests.unit.canary.doctor.faults import FAULTS, MENDED, SEVERAL, own_resources
from tests.unit.canary.doctor.stubs import REGION
from tests.unit.canary.doctor.world import (
    World,
    found,
    levels_of_others,
)


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
