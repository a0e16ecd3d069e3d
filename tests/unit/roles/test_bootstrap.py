"""The roles of GitHub's workflows: each may make the calls of its job, and not others.

``tests/support/iam_policy.py`` evaluates the policies.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from canary.doctor.account import rights
from canary.doctor.finding import Level
from canary.doctor.needs import Needs
from canary.doctor.rights import CHANGES, LOOKS, OF_EC2, PROVISIONING, kind
from tests.support.ansible_modules import load as load_module
from tests.support.ansible_modules import run
from tests.support.ansible_templates import load_plugins
from tests.support.iam_policy import Request, allowed
from tests.unit.canary.doctor.world import World
from tests.unit.roles.inventories import ACCOUNT, load

REGION = "eu-central-1"
HERE = {"aws:RequestedRegion": REGION}
OURS = {"aws:ResourceTag/Project": "shop"}
TO_EC2 = {"iam:PassedToService": "ec2.amazonaws.com"}
INLINE_LIMIT = 10_240
"""Characters of all inline policies of a role (quota of IAM)."""
ARNS = {
    "iam": f"arn:aws:iam::{ACCOUNT}:role/shop-aws-app",
    "s3": f"arn:aws:s3:::shop-aws-releases-{ACCOUNT}",
    "sns": f"arn:aws:sns:{REGION}:{ACCOUNT}:shop-aws-events",
    "sqs": f"arn:aws:sqs:{REGION}:{ACCOUNT}:shop-aws-events",
    "ssm": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shop/aws/live",
    "dynamodb": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/shop-aws-lock",
    "cloudwatch": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:shop-aws-ErrorRate",
    "ec2": f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1",
    "ecr": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/shop-aws",
    "logs": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/shop/aws/app:log-stream:",
}
PROFILE = f"arn:aws:iam::{ACCOUNT}:instance-profile/shop-aws-app"
VOLUME = f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-1"
SNAPSHOT = f"arn:aws:ec2:{REGION}::snapshot/snap-1"
DASHBOARD = f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/shop-aws-release"
CONTROLLER = f"arn:aws:s3:::shop-aws-controller-{ACCOUNT}/run/aws/ssh/id_ed25519"
Statements = dict[str, list[dict[str, Any]]]


@pytest.fixture
def statements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Statements:
    found: Statements = load("aws", tmp_path, monkeypatch).value(
        "localhost", "bootstrap_statements"
    )
    return found


@pytest.fixture
def needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Needs:
    document = load("aws", tmp_path, monkeypatch).value("localhost", "doctor_needs")
    return Needs.model_validate_json(json.dumps(document))


def permitted(
    statements: Statements, role: str, action: str, arn: str, known: dict[str, str]
) -> bool:
    return allowed(statements[role], Request(action, arn, known))


def listed(actions: dict[str, str]) -> list[tuple[str, str]]:
    """Return actions with the resource that they are called on."""
    return [
        (f"{service}:{name}", _resource(service, name))
        for service, names in actions.items()
        for name in names.split()
    ]


def _resource(service: str, name: str) -> str:
    if "Dashboard" in name:
        return DASHBOARD
    found = kind(f"{service}:{name}")
    if found == "instance-profile":
        return PROFILE
    return ARNS["ec2"].replace("instance/i", f"{found}/x") if found in OF_EC2 else ARNS[service]


def test_apply_may_do_everything_that_provisioning_calls(statements: Statements) -> None:
    known = {**HERE, **OURS, **TO_EC2}
    for action, arn in listed({**CHANGES}) + listed({**LOOKS}):
        assert permitted(statements, "apply", action, arn, known), action


def test_plan_may_look_and_change_nothing(statements: Statements) -> None:
    known = {**HERE, **OURS, **TO_EC2}
    for action, arn in listed({**LOOKS}):
        assert permitted(statements, "plan", action, arn, known), action
    for action, arn in listed({**CHANGES}):
        assert not permitted(statements, "plan", action, arn, known), action


def test_the_doctor_finds_the_rights_of_apply_enough(
    statements: Statements, needs: Needs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the first play of site.yml; the policy allows this environment's resources alone."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unchecked-by-moto")
    world = World(needs)
    world.stubs["iam"].statements = statements["apply"]
    with mock_aws():
        assert rights(world, needs).level is Level.OK
    assert {kind(action) for action in PROVISIONING} - {"*"} == set(needs.resources)


EXAMINED = {
    "cloudwatch": "GetMetricData",
    "ec2": "DescribeAddresses DescribeAvailabilityZones DescribeImages DescribeInstances "
    "DescribeInstanceTypes DescribeInstanceTypeOfferings DescribeNatGateways "
    "DescribeSecurityGroups DescribeVpcs",
    "servicequotas": "GetAWSDefaultServiceQuota GetServiceQuota",
    "sns": "ListSubscriptionsByTopic ListTopics",
}


@pytest.mark.parametrize("role", ["apply", "plan"])
def test_workflows_may_ask_what_the_doctor_asks(statements: Statements, role: str) -> None:
    own = f"arn:aws:iam::{ACCOUNT}:role/shop-aws-github-{role}"
    assert permitted(statements, role, "iam:SimulatePrincipalPolicy", own, {})
    for service, names in EXAMINED.items():
        for name in names.split():
            arn = ARNS["sns"] if service == "sns" else "*"
            assert permitted(statements, role, f"{service}:{name}", arn, {}), name


@pytest.mark.parametrize(
    ("action", "arn", "known"),
    [
        ("cloudwatch:GetMetricData", "*", {}),
        ("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Shop"}),
        ("cloudwatch:PutDashboard", DASHBOARD, {}),
        ("dynamodb:PutItem", ARNS["dynamodb"], {}),
        ("ssm:PutParameter", ARNS["ssm"], {}),
        ("s3:ListBucket", ARNS["s3"], {}),
        ("s3:PutObject", f"{ARNS['s3']}/releases/1a2b3c4d5e6f.tar.gz", {}),
        ("s3:GetObject", CONTROLLER, {}),
        ("sns:Publish", ARNS["sns"], {}),
        ("ecr:PutImage", ARNS["ecr"], {}),
    ],
)
def test_release_may_do_what_a_canary_calls(
    statements: Statements, action: str, arn: str, known: dict[str, str]
) -> None:
    assert permitted(statements, "release", action, arn, known)


REFUSED = [
    ("apply", "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/admin", TO_EC2),
    ("apply", "iam:PassRole", ARNS["iam"], {"iam:PassedToService": "lambda.amazonaws.com"}),
    ("apply", "iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/shop-aws-github-apply", {}),
    ("apply", "ec2:TerminateInstances", ARNS["ec2"], {"aws:ResourceTag/Project": "other"}),
    ("apply", "ec2:RunInstances", "*", {"aws:RequestedRegion": "us-east-1"}),
    ("apply", "s3:PutBucketTagging", "arn:aws:s3:::somebody-elses", {}),
    ("apply", "s3:PutBucketPolicy", ARNS["s3"], {}),
    ("apply", "s3:GetObject", f"{ARNS['s3']}/releases/1a2b3c4d5e6f.tar.gz", {}),
    ("plan", "s3:GetObject", CONTROLLER, {}),
    ("plan", "ssm:PutParameter", ARNS["ssm"], {}),
    ("release", "ec2:RunInstances", "*", HERE),
    ("release", "iam:PassRole", ARNS["iam"], TO_EC2),
    ("release", "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Other"}),
    ("release", "ec2:DeleteSnapshot", SNAPSHOT, {**OURS, "aws:ResourceTag/Snapshot": "daily"}),
    ("snapshots", "ec2:DeleteSnapshot", SNAPSHOT, OURS),
    ("snapshots", "ec2:CreateSnapshot", VOLUME, {"aws:ResourceTag/Project": "other"}),
    ("snapshots", "ec2:CreateTags", SNAPSHOT, {**OURS, **HERE}),
    ("snapshots", "s3:GetObject", CONTROLLER, {}),
    ("release", "ssm:PutParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/other", {}),
]


@pytest.mark.parametrize(("role", "action", "arn", "known"), REFUSED)
def test_what_no_job_needs_is_refused(
    statements: Statements, role: str, action: str, arn: str, known: dict[str, str]
) -> None:
    assert not permitted(statements, role, action, arn, known)


def test_a_policy_fits_into_its_role(statements: Statements) -> None:
    assert set(statements) == {"plan", "apply", "release", "snapshots"}
    for role, policy in statements.items():
        assert len(json.dumps(policy)) < INLINE_LIMIT, role
        for statement in policy:
            assert not any("*" in action for action in statement["Action"]), role


class Budgets:
    """moto does not describe the subscribers of a notification."""

    def __init__(self, there: dict[str, Any] | None = None, mails: tuple[str, ...] = ()) -> None:
        self.there, self.mails = there, mails
        self.calls: list[str] = []

    def describe_budget(self, **_: object) -> dict[str, Any]:
        return {"Budget": self.there}

    def describe_notifications_for_budget(self, **_: object) -> dict[str, Any]:
        return {"Notifications": [{"NotificationType": "FORECASTED"}]}

    def describe_subscribers_for_notification(self, **_: object) -> dict[str, Any]:
        return {"Subscribers": [{"Address": each} for each in self.mails]}

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda **_: self.calls.append(name)


@pytest.mark.parametrize(
    ("there", "mails", "state", "calls"),
    [
        ("300.0", ("ops@example.org",), "present", []),
        ("200.0", ("ops@example.org",), "present", ["delete_budget", "create_budget"]),
        ("300.0", ("old@example.org",), "present", ["delete_budget", "create_budget"]),
        ("300.0", ("ops@example.org",), "absent", ["delete_budget"]),
    ],
)
def test_a_budget_is_replaced_only_if_it_differs(
    monkeypatch: pytest.MonkeyPatch,
    there: str,
    mails: tuple[str, ...],
    state: str,
    calls: list[str],
) -> None:
    load_plugins()
    module = load_module("budget")
    client = Budgets({"BudgetLimit": {"Amount": there}}, mails)
    monkeypatch.setattr(module.AnsibleAWSModule, "client", lambda *_, **__: client)
    given: dict[str, Any] = {
        "name": "shop",
        "account": ACCOUNT,
        "dollars": 300,
        "emails": ["ops@example.org"],
    }
    assert run(module, **given, state=state)["changed"] == bool(calls)
    assert client.calls == calls
    client.calls.clear()
    run(module, check=True, **given, state=state)
    assert client.calls == []
