"""moto as it is bent here: each place where we reach into it is tried, against the pin."""

import email
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from email.policy import default
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_cloud.emulator import image_key, machine_image
from tests.support.paths import ROOT
from tests.unit.local_cloud.process import IMAGE_KEY

AMI = machine_image(IMAGE_KEY)


class Emulator:
    """A running emulator, that can be killed and started again from the same directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.local_cloud.process", str(self.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.port = self.heard()["port"]

    def heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        fact: dict[str, Any] = json.loads(self.process.stdout.readline())
        return fact

    def settle(self, instance: str, expected: str, state: str) -> bool:
        """Do as the follower does when a host has arrived at a state."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{instance} {expected} {state}\n")
        self.process.stdin.flush()
        return bool(self.heard()["settled"])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="eu-central-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - any is accepted
            config=Config(retries={"max_attempts": 0}),
        )


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One for all tests that leave it alive."""
    running = Emulator(tmp_path_factory.mktemp("emulator"))
    yield running
    running.kill()


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Emulator]:
    """One that a test may kill."""
    running = Emulator(tmp_path)
    yield running
    running.kill()


def make_subnet(emulator: Emulator) -> str:
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnet: str = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.1.0/24")["Subnet"]["SubnetId"]
    return subnet


def launch(emulator: Emulator, **options: Any) -> dict[str, Any]:
    asked = {"ImageId": AMI, "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro", **options}
    launched: dict[str, Any] = emulator.client("ec2").run_instances(**asked)["Instances"][0]
    return launched


def state(emulator: Emulator, instance: str) -> str:
    found = emulator.client("ec2").describe_instances(InstanceIds=[instance])
    name: str = found["Reservations"][0]["Instances"][0]["State"]["Name"]
    return name


def test_moto_is_the_one_whose_insides_we_know() -> None:
    assert version("moto") == "5.2.5"


def test_a_machine_image_names_its_base_image() -> None:
    assert AMI == "ami-0123456789ab00000"  # 17 digits, as AWS writes them
    assert image_key(AMI) == IMAGE_KEY


def test_the_image_is_found_as_debians_are_on_aws(emulator: Emulator) -> None:
    name = {"Name": "name", "Values": ["debian-12-amd64-*"]}
    images = emulator.client("ec2").describe_images(Owners=["136693071363"], Filters=[name])
    assert [image["ImageId"] for image in images["Images"]] == [AMI]


def test_an_instance_is_what_its_host_is_not_what_was_asked(emulator: Emulator) -> None:
    instance = launch(emulator, SubnetId=make_subnet(emulator))["InstanceId"]
    ec2 = emulator.client("ec2")
    assert state(emulator, instance) == "pending"
    assert emulator.settle(instance, "pending", "running")
    assert state(emulator, instance) == "running"
    ec2.stop_instances(InstanceIds=[instance])
    assert state(emulator, instance) == "stopping"
    assert not emulator.settle(instance, "pending", "running")  # it was overtaken by the stop
    assert emulator.settle(instance, "stopping", "stopped")
    ec2.start_instances(InstanceIds=[instance])
    assert state(emulator, instance) == "pending"
    ec2.terminate_instances(InstanceIds=[instance])
    assert state(emulator, instance) == "shutting-down"
    emulator.settle(instance, "shutting-down", "terminated")
    assert state(emulator, instance) == "terminated"


@pytest.mark.parametrize(
    "call", ["start_instances", "stop_instances", "reboot_instances"], ids=lambda call: call
)
def test_a_terminated_instance_does_nothing_more(emulator: Emulator, call: str) -> None:
    instance = launch(emulator, SubnetId=make_subnet(emulator))["InstanceId"]
    emulator.client("ec2").terminate_instances(InstanceIds=[instance])
    emulator.settle(instance, "shutting-down", "terminated")
    with pytest.raises(ClientError, match="IncorrectInstanceState"):
        getattr(emulator.client("ec2"), call)(InstanceIds=[instance])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"ImageId": "ami-00000000000000000"}, "InvalidAMIID.NotFound"),
        ({"KeyName": "nobodys"}, "InvalidKeyPair.NotFound"),
    ],
)
def test_what_aws_refuses_is_refused(
    emulator: Emulator, options: dict[str, str], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        launch(emulator, SubnetId=make_subnet(emulator), **options)
    assert refused.value.response["Error"]["Code"] == code


def test_addresses_begin_after_those_that_aws_keeps(emulator: Emulator) -> None:
    subnet = make_subnet(emulator)
    given = [launch(emulator, SubnetId=subnet)["PrivateIpAddress"] for _ in range(2)]
    assert given == ["10.77.1.4", "10.77.1.5"]  # .0 to .3 are AWS's: VPC guide, "Subnet sizing"


def test_an_address_does_not_come_back_at_once(emulator: Emulator) -> None:
    """Another host behind a known address would look like an attack to SSH."""
    subnet = make_subnet(emulator)
    instance = launch(emulator, SubnetId=subnet)["InstanceId"]
    emulator.client("ec2").terminate_instances(InstanceIds=[instance])
    emulator.settle(instance, "shutting-down", "terminated")
    assert launch(emulator, SubnetId=subnet)["PrivateIpAddress"] == "10.77.1.5"


def test_a_full_subnet_is_said_and_then_reused(emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.9.0/28")["Subnet"]["SubnetId"]
    launched = [launch(emulator, SubnetId=subnet) for _ in range(11)]  # 16 less AWS's five
    with pytest.raises(ClientError, match="InsufficientFreeAddressesInSubnet"):
        launch(emulator, SubnetId=subnet)
    ec2.terminate_instances(InstanceIds=[launched[4]["InstanceId"]])
    emulator.settle(launched[4]["InstanceId"], "shutting-down", "terminated")
    again = launch(emulator, SubnetId=subnet)
    assert again["PrivateIpAddress"] == launched[4]["PrivateIpAddress"]


def test_a_fixed_address_is_taken_until_its_instance_is_gone(emulator: Emulator) -> None:
    fixed = {"SubnetId": make_subnet(emulator), "PrivateIpAddress": "10.77.1.9"}
    instance = launch(emulator, **fixed)["InstanceId"]
    with pytest.raises(ClientError, match=r"InvalidIPAddress\.InUse"):
        launch(emulator, **fixed)
    emulator.client("ec2").terminate_instances(InstanceIds=[instance])
    emulator.settle(instance, "shutting-down", "terminated")
    assert launch(emulator, **fixed)["PrivateIpAddress"] == "10.77.1.9"


def test_an_address_outside_its_subnet_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        launch(emulator, SubnetId=make_subnet(emulator), PrivateIpAddress="10.77.2.9")


def test_a_table_has_an_id_of_its_own(emulator: Emulator) -> None:
    dynamodb = emulator.client("dynamodb")
    for name in ("lock", "history"):
        make_table(dynamodb, name)
    ids = [
        dynamodb.describe_table(TableName=name)["Table"]["TableId"] for name in ("lock", "history")
    ]
    assert len(set(ids)) == 2
    assert dynamodb.describe_table(TableName="lock")["Table"]["TableId"] == ids[0]


def make_table(dynamodb: Any, name: str) -> None:
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_collecting_group_metrics_can_be_ended(emulator: Emulator) -> None:
    autoscaling = emulator.client("autoscaling")
    zone = {"AvailabilityZones": ["eu-central-1a"]}
    autoscaling.create_launch_configuration(
        LaunchConfigurationName="l", ImageId=AMI, InstanceType="t3.micro"
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="g", LaunchConfigurationName="l", MinSize=0, MaxSize=1, **zone
    )
    autoscaling.enable_metrics_collection(AutoScalingGroupName="g", Granularity="1Minute")
    autoscaling.disable_metrics_collection(AutoScalingGroupName="g")
    group = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert not group.get("EnabledMetrics")


def test_mail_arrives_at_every_address_that_subscribed(emulator: Emulator) -> None:
    sns = emulator.client("sns")
    topic = sns.create_topic(Name="events")["TopicArn"]
    for address in ("a@example.org", "b@example.org"):
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
    sns.publish(TopicArn=topic, Subject="FAIL", Message="weight is back at 0")
    paths = sorted((emulator.directory / "mail").iterdir())
    mails = [email.message_from_bytes(path.read_bytes(), policy=default) for path in paths]
    assert [mail["To"] for mail in mails] == ["a@example.org", "b@example.org"]
    assert mails[0]["Subject"] == "FAIL"
    assert mails[0].get_content() == "weight is back at 0\n"


def test_what_was_answered_survives_a_kill(mortal: Emulator) -> None:
    """One thing of every service that the roles use; killed right after the last answer."""
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
