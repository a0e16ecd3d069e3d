"""The resources that an administrator creates once for workflows, their removal, and the doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.foreign.account import ACCOUNT, Account, writes

pytestmark = [pytest.mark.timeout(1200)]
PLAYBOOK = "playbooks/bootstrap.yml"
GIVEN = {"repository": "example/shop", "stage": "beta"}
BUCKET = f"shop-aws-controller-{ACCOUNT}"
REGION = "eu-central-1"


@pytest.fixture(scope="module")
def fresh(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(account.tap, account.gaps, tmp_path_factory.mktemp("administrator"))


def made(account: Account) -> dict[str, Any]:
    iam, s3 = account.client("iam", REGION), account.client("s3", REGION)
    roles = [r for r in iam.list_roles()["Roles"] if "github" in r["RoleName"]]
    return {
        "roles": {role["RoleName"]: role for role in roles},
        "providers": iam.list_open_id_connect_providers()["OpenIDConnectProviderList"],
        "buckets": [
            each["Name"] for each in s3.list_buckets()["Buckets"] if "contr" in each["Name"]
        ],
    }


def test_the_doctor_finds_a_wrong_account_before_anything_is_made(fresh: Account) -> None:
    well, calls = fresh.play("playbooks/doctor.yml")
    assert not well.failed, well.output
    assert writes(calls) == []
    fresh.shell["CART_CANARY_AWS_ACCOUNT"] = "210987654321"
    ill, _ = fresh.play("playbooks/doctor.yml")
    fresh.shell.clear()
    assert ill.failed
    assert "export AWS_PROFILE=the-profile-of-210987654321" in ill.output
    assert Path(fresh.home, "run/210987654321/aws/needs.json").is_file()


def test_a_repository_has_to_be_named(fresh: Account) -> None:
    refused, calls = fresh.play(PLAYBOOK, stage="beta")
    assert refused.failed
    assert "-e repository=owner/name" in refused.messages[0]
    assert writes(calls) == []


def test_a_plan_makes_nothing(fresh: Account) -> None:
    plan, calls = fresh.play(PLAYBOOK, "--check", **GIVEN)
    assert not plan.failed, plan.output
    assert writes(calls) == []


def test_each_role_trusts_one_environment_of_one_repository(fresh: Account) -> None:
    done, _ = fresh.play(PLAYBOOK, **GIVEN)
    assert not done.failed, done.output
    now = made(fresh)
    assert now["buckets"] == [BUCKET]
    (provider,) = now["providers"]
    trusted = {}
    for name, role in now["roles"].items():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Federated": provider["Arn"]}
        wanted = statement["Condition"]["StringEquals"]
        assert wanted["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
        trusted[name] = wanted["token.actions.githubusercontent.com:sub"]
    assert trusted == {
        "shop-aws-github-plan": "repo:example/shop:environment:plan-beta",
        "shop-aws-github-apply": "repo:example/shop:environment:infrastructure-beta",
        "shop-aws-github-release": "repo:example/shop:environment:beta",
        "shop-aws-github-snapshots": "repo:example/shop:environment:snapshots-beta",
    }


def test_a_second_run_changes_nothing(fresh: Account) -> None:
    again, calls = fresh.play(PLAYBOOK, **GIVEN)
    assert not again.failed, again.output
    assert again.changed == ()
    assert writes(calls) == []


def test_the_undo_leaves_nothing(fresh: Account) -> None:
    undone, _ = fresh.play(PLAYBOOK, undo="yes")
    assert not undone.failed, undone.output
    assert not any(made(fresh).values())
