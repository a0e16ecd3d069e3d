"""Our corrections of moto."""

import email
from email.policy import default
from typing import Any

from tests.unit.local_cloud.emulator.running import AMI, Emulator


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
