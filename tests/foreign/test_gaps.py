"""The proofs named in ``gaps.py``: AWS has these features, and moto still lacks them."""

from __future__ import annotations

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from tests.foreign import gaps
from tests.foreign.account import ACCOUNT, Account
from tests.foreign.enforced import document
from tests.foreign.tap import ANY_KEYS


@pytest.mark.parametrize(("call", "key"), gaps.TABLE_KEYS.items())
def test_dynamodb_answers_the_id_of_a_table(call: str, key: str) -> None:
    service, operation = call.split(":")
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    assert "TableId" in model.output_shape.members[key].members


def test_ec2_describes_tags_of_every_type() -> None:
    model = botocore.session.get_session().get_service_model("ec2")
    assert set(gaps.RETAGGED.values()) <= set(model.shape_for("ResourceType").enum)


def test_moto_finds_no_tags_of_an_address_by_type(account: Account) -> None:
    ec2 = account.client("ec2", "eu-west-1")
    tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "Name", "Value": "gap"}]}]
    made = ec2.allocate_address(Domain="vpc", TagSpecifications=tags)["AllocationId"]
    named = {"Name": "resource-id", "Values": [made]}
    typed = {"Name": "resource-type", "Values": ["elastic-ip"]}
    assert ec2.describe_tags(Filters=[named])["Tags"]
    assert ec2.describe_tags(Filters=[named, typed])["Tags"] == []
    ec2.release_address(AllocationId=made)


def test_iam_simulates_the_policies_of_a_role_and_moto_does_not(account: Account) -> None:
    model = botocore.session.get_session().get_service_model("iam")
    answer = model.operation_model("SimulatePrincipalPolicy").output_shape
    assert {"EvalActionName", "EvalDecision"} <= set(
        answer.members["EvaluationResults"].member.members
    )
    role = f"arn:aws:iam::{ACCOUNT}:role/gap"
    iam = account.client("iam", "eu-west-1")
    made = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::ours"}
    iam.create_role(RoleName="gap", AssumeRolePolicyDocument="{}")
    iam.put_role_policy(RoleName="gap", PolicyName="p", PolicyDocument=document([made]))
    asked = {"PolicySourceArn": role, "ActionNames": ["s3:PutObject", "ec2:RunInstances"]}
    with pytest.raises((ClientError, ResponseParserError)):
        iam.simulate_principal_policy(**asked)
    tapped = boto3.client("iam", "eu-west-1", endpoint_url=account.tap.url, **ANY_KEYS)
    for resource, decided in (("ours", "allowed"), ("theirs", "implicitDeny")):
        where = [f"arn:aws:s3:::{resource}"]
        found = tapped.simulate_principal_policy(**asked, ResourceArns=where)["EvaluationResults"]
        decisions = {each["EvalActionName"]: each["EvalDecision"] for each in found}
        assert decisions == {"s3:PutObject": decided, "ec2:RunInstances": "implicitDeny"}
    iam.delete_role_policy(RoleName="gap", PolicyName="p")
    iam.delete_role(RoleName="gap")


def test_an_account_has_quotas_of_ec2_and_moto_has_none(account: Account) -> None:
    model = botocore.session.get_session().get_service_model("service-quotas")
    answer = model.operation_model("GetServiceQuota").output_shape
    assert "Value" in answer.members["Quota"].members
    asked = {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}
    tapped = boto3.client("service-quotas", "eu-west-1", endpoint_url=account.tap.url, **ANY_KEYS)
    for refusing in (account.client("service-quotas", "eu-west-1"), tapped):
        with pytest.raises(ClientError, match="NoSuchResource"):
            refusing.get_service_quota(**asked)
    account.gaps.quotas = {"L-1216C47A": 32.0}
    assert tapped.get_service_quota(**asked)["Quota"]["Value"] == 32.0
    account.gaps.quotas = {}


def test_moto_still_has_the_gaps(account: Account) -> None:
    tables = account.client("dynamodb", "eu-west-1")
    made = tables.create_table(
        TableName="gap",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]
    assert "TableId" not in made
    tapped = boto3.client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=account.tap.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
    )
    assert tapped.describe_table(TableName="gap")["Table"]["TableId"]
    tables.delete_table(TableName="gap")


def test_a_volume_without_a_snapshot_has_an_empty_one(account: Account) -> None:
    made = account.client("ec2", "eu-west-1").create_volume(AvailabilityZone="eu-west-1a", Size=1)
    options = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    tapped = boto3.client("ec2", "eu-west-1", endpoint_url=account.tap.url, **options)
    (seen,) = tapped.describe_volumes(VolumeIds=[made["VolumeId"]])["Volumes"]
    tapped.delete_volume(VolumeId=made["VolumeId"])
    assert "SnapshotId" not in made or made["SnapshotId"] in ("", None)
    assert seen["SnapshotId"] == ""


def test_the_tap_names_calls_of_every_protocol(account: Account) -> None:
    """Query (EC2), JSON (SSM), CBOR (CloudWatch) and REST (S3)."""
    options = {
        "region_name": "eu-west-1",
        "endpoint_url": account.tap.url,
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    with account.tap.recording() as calls:
        boto3.client("ec2", **options).create_key_pair(KeyName="tapped")
        boto3.client("ec2", **options).delete_key_pair(KeyName="tapped")
        boto3.client("ssm", **options).describe_parameters()
        boto3.client("cloudwatch", **options).delete_alarms(AlarmNames=["none"])
        boto3.client("s3", **options).list_buckets()
        boto3.client("s3", **options).create_bucket(
            Bucket="tapped", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        boto3.client("s3", **options).delete_bucket(Bucket="tapped")
    assert [(str(call), call.writes) for call in calls] == [
        ("ec2:CreateKeyPair", True),
        ("ec2:DeleteKeyPair", True),
        ("ssm:DescribeParameters", False),
        ("monitoring:DeleteAlarms", True),
        ("s3:GetBucket", False),
        ("s3:PutBucket", True),
        ("s3:DeleteBucket", True),
    ]
    assert {call.region for call in calls} == {"eu-west-1"}
