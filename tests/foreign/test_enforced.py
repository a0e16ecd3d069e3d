"""moto with its IAM switched on: what it checks, what it ignores, and which calls it refuses.

docs/security.md states it. Because moto asks about the resource * (except for S3), the policies of
workflows get that resource here; their own resources and conditions are tested in
``tests/unit/roles`` and by ``asked.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPConnection
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.foreign.account import ACCOUNT, Account, emulated
from tests.unit.roles.inventories import Environment

pytestmark = [pytest.mark.timeout(900)]
REGION, USER, TABLE = "eu-central-1", "administrator", "shop-aws-lock"
Clients = Callable[[str], Any]
Statements = list[dict[str, Any]]
NARROW: dict[str, dict[str, Any]] = {
    "resource": {
        "Effect": "Allow",
        "Action": "dynamodb:DescribeTable",
        "Resource": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}",
    },
    "condition": {
        "Effect": "Allow",
        "Action": "dynamodb:DescribeTable",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
    },
    "passing": {"Effect": "Allow", "Action": "iam:AddRoleToInstanceProfile", "Resource": "*"},
}


def widened(statements: Statements) -> Statements:
    """Return what is allowed, on every resource, with moto's name of CloudWatch beside AWS's."""
    text = json.dumps([each for each in statements if each["Effect"] == "Allow"])
    found: Statements = json.loads(text) + json.loads(text.replace('"cloudwatch:', '"monitoring:'))
    return [{**each, "Resource": "*"} for each in found]


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Statements]:
    with pytest.MonkeyPatch.context() as patch:
        directory = tmp_path_factory.mktemp("policies")
        patch.setenv("CART_CANARY_RUN", str(directory / "run"))
        patch.setenv("CART_CANARY_AWS_ACCOUNT", ACCOUNT)
        own = Environment("aws", directory).value("localhost", "bootstrap_statements")
        return {
            **{name: widened(statements) for name, statements in own.items()},
            **{name: [statement] for name, statement in NARROW.items()},
        }


@pytest.fixture(scope="module")
def keys(
    policies: dict[str, Statements], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Account, dict[str, str]]]:
    """An account that checks the caller, and the keys of its administrator."""
    with emulated(tmp_path_factory.mktemp("enforced")) as account:
        iam = account.client("iam", REGION)
        user = iam.create_user(UserName=USER)["User"]["Arn"]
        anything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.put_user_policy(UserName=USER, PolicyName="p", PolicyDocument=_document([anything]))
        trust = {"Effect": "Allow", "Principal": {"AWS": user}, "Action": "sts:AssumeRole"}
        for name, statements in policies.items():
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document([trust]))
            document = _document(statements)
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
        iam.create_instance_profile(InstanceProfileName="profile")
        account.client("dynamodb", REGION).create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "environment", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "environment", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        made = iam.create_access_key(UserName=USER)["AccessKey"]
        host, port = account.tap.upstream
        switch = HTTPConnection(host, port, timeout=60)
        switch.request("POST", "/moto-api/reset-auth", "0")
        assert switch.getresponse().status == 200
        switch.close()
        yield (
            account,
            {
                "aws_access_key_id": made["AccessKeyId"],
                "aws_secret_access_key": made["SecretAccessKey"],
            },
        )


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture
def acting(keys: tuple[Account, dict[str, str]]) -> Callable[[str], Clients]:
    """Return clients that have assumed a role."""
    account, own = keys
    host, port = account.tap.upstream
    where = {"region_name": REGION, "endpoint_url": f"http://{host}:{port}"}

    def assume(role: str) -> Clients:
        sts = boto3.client("sts", **where, **own)
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        given = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        session = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
        return lambda service: boto3.client(service, **where, **session)

    return assume


def refused(call: Callable[[], object]) -> bool:
    """Return whether a call was refused because of its caller."""
    try:
        call()
    except ClientError as error:
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] in (401, 403))
    return False


def test_each_role_of_a_workflow_does_its_work(acting: Callable[[str], Clients]) -> None:
    plan, apply, release = acting("plan"), acting("apply"), acting("release")
    for role in (plan, apply):
        assert not refused(role("ec2").describe_vpcs)
        assert not refused(partial(role("iam").get_role, RoleName="plan"))
    assert not refused(lambda: apply("ec2").create_vpc(CidrBlock="10.76.0.0/16"))
    assert not refused(
        lambda: apply("ssm").put_parameter(Name="/shop/aws/live", Value="blue", Type="String")
    )
    item = {"environment": {"S": "aws"}}
    assert not refused(lambda: release("dynamodb").put_item(TableName=TABLE, Item=item))
    assert not refused(lambda: release("ssm").get_parameter(Name="/shop/aws/live"))


def test_calls_beyond_a_role_are_refused(acting: Callable[[str], Clients]) -> None:
    plan, apply, release = acting("plan"), acting("apply"), acting("release")
    item = {"environment": {"S": "aws"}}
    beyond: list[Callable[[], object]] = [
        lambda: plan("ec2").create_vpc(CidrBlock="10.77.0.0/16"),
        lambda: plan("dynamodb").put_item(TableName=TABLE, Item=item),
        lambda: plan("ssm").put_parameter(Name="/x", Value="blue", Type="String"),
        lambda: apply("iam").create_user(UserName="another"),
        lambda: apply("dynamodb").delete_table(TableName=TABLE),
        lambda: release("ec2").create_vpc(CidrBlock="10.78.0.0/16"),
        lambda: release("iam").create_role(RoleName="x", AssumeRolePolicyDocument="{}"),
    ]
    assert [refused(call) for call in beyond] == [True] * len(beyond)


def test_moto_knows_no_resources_no_conditions_and_no_pass_role(
    acting: Callable[[str], Clients],
) -> None:
    """AWS would allow the first call, and refuse the others."""
    described = {"TableName": TABLE}
    assert refused(lambda: acting("resource")("dynamodb").describe_table(**described))
    assert not refused(lambda: acting("condition")("dynamodb").describe_table(**described))
    passed = {"InstanceProfileName": "profile", "RoleName": "apply"}
    assert not refused(lambda: acting("passing")("iam").add_role_to_instance_profile(**passed))


def test_an_unknown_key_is_refused(keys: tuple[Account, dict[str, str]]) -> None:
    account, _ = keys
    assert refused(lambda: account.client("ec2", REGION).describe_vpcs())
