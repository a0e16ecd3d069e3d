"""The checks that moto makes with its IAM switched on, as docs/security.md lists them.

``test_enforced_run.py`` makes a whole account with it. The resources and conditions of policies are
tested in ``tests/unit/roles`` and by ``asked.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.foreign.account import ACCOUNT, Account, emulated
from tests.foreign.enforced import REGION, client, document, enforce
from tests.foreign.gaps import REFUSED
from tests.foreign.tap import ANY_KEYS
from tests.support.tables import make_table

pytestmark = [pytest.mark.timeout(900)]
TABLE = "shop-aws-lock"
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
    "bucket": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::ours"},
}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account that checks its callers, with a role for each policy."""
    with emulated(tmp_path_factory.mktemp("enforced")) as made:
        iam, s3 = made.client("iam", REGION), made.client("s3", REGION)
        for name, statement in NARROW.items():
            iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
            policy = document([statement])
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
        iam.create_instance_profile(InstanceProfileName="profile")
        make_table(made.client("dynamodb", REGION), TABLE, "environment")
        where = {"LocationConstraint": REGION}
        for name in ("ours", "theirs"):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)
        enforce(made)
        yield made


def refused(call: Callable[[], object]) -> bool:
    """Return whether a call was refused because of its caller."""
    try:
        call()
    except ClientError as error:
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] in REFUSED)
    return False


def test_moto_knows_no_resources_no_conditions_and_no_pass_role(account: Account) -> None:
    """AWS would allow the first call, and refuse the others."""
    of = partial(client, account)
    described = {"TableName": TABLE}
    assert refused(lambda: of("resource", "dynamodb").describe_table(**described))
    assert not refused(lambda: of("condition", "dynamodb").describe_table(**described))
    passed = {"InstanceProfileName": "profile", "RoleName": "resource"}
    assert not refused(lambda: of("passing", "iam").add_role_to_instance_profile(**passed))


def test_moto_knows_resources_of_s3(account: Account) -> None:
    s3 = client(account, "bucket", "s3")
    assert not refused(lambda: s3.list_objects_v2(Bucket="ours"))
    assert refused(lambda: s3.list_objects_v2(Bucket="theirs"))
    assert refused(lambda: s3.put_object(Bucket="ours", Key="x", Body=b""))


def test_an_unknown_key_is_refused(account: Account) -> None:
    known, account.tap.keys = account.tap.keys, dict(ANY_KEYS)
    try:
        assert refused(lambda: account.client("ec2", REGION).describe_vpcs())
    finally:
        account.tap.keys = known
