"""Hosts and alarms survive when the daemon is killed or restarted."""

import os
import signal

import pytest

from local_cloud.cloud import daemon_pid
from local_cloud.machine import Machine
from tests.support.local_cloud_machine import Cloud
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(300)]


def test_a_killed_daemon_adopts_its_hosts(cloud: Cloud, app: str, address: str) -> None:
    supervisor = Machine(cloud.settings, app).pid
    kill_daemon(cloud)
    assert cloud.ssh(address, "echo unharmed") == "unharmed"
    assert cloud.command("up").stdout.startswith("Up:")
    assert cloud.state(app) == "running"
    assert Machine(cloud.settings, app).pid == supervisor


def test_down_and_up_bring_the_same_hosts_back(cloud: Cloud, app: str, address: str) -> None:
    cloud.ssh(address, "echo still > ~/note")
    cloud.client("s3").create_bucket(
        Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    cloud.command("down")
    assert daemon_pid(cloud.settings) is None
    assert Machine(cloud.settings, app).pid is None
    assert cloud.command("status", check=False).returncode == 1
    cloud.command("up")
    assert cloud.ssh(address, "cat ~/note") == "still"
    assert [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]] == ["kept"]
    assert cloud.command("up").stdout.startswith("Already up")


def test_an_alarm_reaches_the_mailbox_and_outlives_the_daemon(cloud: Cloud) -> None:
    sns, cloudwatch = cloud.client("sns"), cloud.client("cloudwatch")
    earlier = set(cloud.settings.mail.glob("*.eml"))
    topic = sns.create_topic(Name="events")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.org")
    cloudwatch.put_metric_alarm(
        AlarmName="ErrorsHigh",
        Namespace="Shop",
        MetricName="errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
    )
    cloudwatch.set_alarm_state(AlarmName="ErrorsHigh", StateValue="ALARM", StateReason="test")
    (mail,) = wait_for(lambda: set(cloud.settings.mail.glob("*.eml")) - earlier, "an e-mail")
    assert "ErrorsHigh" in mail.read_text()
    kill_daemon(cloud)
    cloud.command("up")
    alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in alarms] == ["ErrorsHigh"]


def kill_daemon(cloud: Cloud) -> None:
    pid = daemon_pid(cloud.settings)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_a_person_gets_in_by_name(cloud: Cloud, app: str) -> None:
    assert cloud.command("ssh", "test-app-1", "hostname").stdout.startswith("ip-10-88-1-")
    assert app in cloud.command("status").stdout
    assert "systemd" in cloud.command("logs", "test-app-1").stdout
    refused = cloud.command("ssh", "nobody", check=False)
    assert (refused.returncode, "Hosts: test-app-1" in refused.stderr) == (2, True)


def test_a_lone_host_needs_no_api(cloud: Cloud) -> None:
    key = str(cloud.key)
    cloud.command("host", "start", "lone", "--ip", "10.88.200.10", "--key", key)
    assert cloud.ssh("10.88.200.10", "hostname") == "lone"
    taken = cloud.command("host", "start", "two", "--ip", "10.88.200.10", "--key", key, check=False)
    assert "10.88.200.10 is used by host lone" in taken.stderr
    cloud.command("host", "stop", "lone")
    assert not Machine(cloud.settings, "lone").directory.exists()
