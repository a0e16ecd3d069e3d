"""Acknowledged changes survive a kill of the process."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local_cloud.emulator import snapshot
from tests.support.paths import ROOT
from tests.unit.local_cloud.emulator.running import Emulator, launch, make_subnet, state
from tests.unit.local_cloud.emulator.test_repairs import make_table


@pytest.mark.long
def test_what_was_answered_survives_a_kill(mortal: Emulator) -> None:
    """There is one resource of every service, and the process is killed after the last response."""
    subnet = make_subnet(mortal)
    instance = launch(mortal, SubnetId=subnet)["InstanceId"]
    body = bytes(range(256)) * 4096
    fill(mortal, body)
    mortal.kill()
    mortal.start()
    assert state(mortal, instance) == "pending"
    assert launch(mortal, SubnetId=subnet)["PrivateIpAddress"] == "10.77.1.5"
    s3 = mortal.client("s3")
    assert s3.get_object(Bucket="releases", Key="r.tar.gz")["Body"].read() == body
    assert s3.head_object(Bucket="releases", Key="r.tar.gz")["Metadata"] == {"sha256": "x"}
    parameter = mortal.client("ssm").get_parameter(Name="/shop/local/live", WithDecryption=True)
    assert parameter["Parameter"]["Value"] == "blue"
    item = mortal.client("dynamodb").get_item(TableName="lock", Key={"id": {"S": "local"}})
    assert item["Item"]["owner"] == {"S": "me"}
    assert mortal.client("iam").get_role(RoleName="app")["Role"]["RoleName"] == "app"
    assert mortal.client("kms").describe_key(KeyId="alias/shop")["KeyMetadata"]["Enabled"]
    sqs = mortal.client("sqs")
    queue = sqs.get_queue_url(QueueName="events")["QueueUrl"]
    assert "deployed" in sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"]


def fill(mortal: Emulator, body: bytes) -> None:
    s3 = mortal.client("s3")
    s3.create_bucket(
        Bucket="releases", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    s3.put_bucket_versioning(Bucket="releases", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="releases", Key="r.tar.gz", Body=b"older")
    s3.put_object(Bucket="releases", Key="r.tar.gz", Body=body, Metadata={"sha256": "x"})
    kms = mortal.client("kms")
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/shop", TargetKeyId=key)
    mortal.client("ssm").put_parameter(Name="/shop/local/live", Value="blue", Type="SecureString")
    dynamodb = mortal.client("dynamodb")
    make_table(dynamodb, "lock")
    dynamodb.put_item(TableName="lock", Item={"id": {"S": "local"}, "owner": {"S": "me"}})
    mortal.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument="{}")
    mortal.client("logs").create_log_group(logGroupName="/shop/local/app")
    mortal.client("sqs").create_queue(QueueName="events")
    sns = mortal.client("sns")
    topic = sns.create_topic(Name="events")["TopicArn"]
    queue = topic.replace(":sns:", ":sqs:")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    sns.publish(TopicArn=topic, Message="deployed")


@pytest.mark.long
def test_a_body_is_written_once_and_dropped_with_its_object(mortal: Emulator) -> None:
    fill(mortal, b"x" * 1_000_000)
    bodies = mortal.directory / "aws" / "bodies"
    (before,) = [path for path in bodies.iterdir() if path.stat().st_size == 1_000_000]
    written = before.stat().st_mtime_ns
    mortal.client("ssm").put_parameter(Name="/a", Value="b", Type="String")
    assert before.stat().st_mtime_ns == written
    s3 = mortal.client("s3")
    for listed in s3.list_object_versions(Bucket="releases")["Versions"]:
        s3.delete_object(Bucket="releases", Key=listed["Key"], VersionId=listed["VersionId"])
    assert not before.exists()


@pytest.mark.long
def test_a_snapshot_that_cannot_be_read_is_said_in_a_sentence(mortal: Emulator) -> None:
    make_subnet(mortal)
    mortal.kill()
    (mortal.directory / "aws" / "snapshot").write_bytes(b"not a pickle")
    again = subprocess.run(
        [sys.executable, "-m", "tests.unit.local_cloud.process", str(mortal.directory)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert again.returncode != 0
    assert "cannot be read" in again.stderr
    assert "local-cloud destroy && local-cloud up" in again.stderr


class Changing(dict[str, int]):
    """A dictionary that another thread changes during its first read."""

    changes = 1

    def items(self) -> Any:
        if self.changes:
            self.changes -= 1
            raise RuntimeError("dictionary changed size during iteration")
        return super().items()


def test_a_state_that_changes_while_it_is_saved_is_saved_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = ("sqs", "123456789012", "eu-central-1", Changing(queues=2))
    monkeypatch.setattr(snapshot, "in_use", lambda: [entry])
    monkeypatch.setattr(snapshot, "vars", lambda state: state, raising=False)
    snapshot.save(tmp_path)
    assert b"queues" in (tmp_path / "snapshot").read_bytes()
