"""EC2 instances are hosts: real ones, booted here, on a bridge that is not the demonstration's."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import boto3
import pytest

from local_cloud.cloud import daemon_pid
from local_cloud.machine import Machine
from local_cloud.settings import Settings
from tests.support.local_cloud_machine import Cloud, Traces, output, traces
from tests.support.waiting import wait_for

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="booting hosts needs Linux and root"
    ),
]
USER_DATA = "#!/bin/sh\ndate +%s%N >> /root/first-boots\n"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    state = tmp_path_factory.mktemp("cloud") / "state"
    cache = Settings.load({}).cache
    return Settings(state, cache, bridge="ccit", network=IPv4Network("10.88.0.0/16"), port=4966)


@pytest.fixture(scope="module")
def before(settings: Settings) -> Traces:
    return traces(settings)


@pytest.fixture(scope="module")
def cloud(
    settings: Settings, before: Traces, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    assert before.processes == frozenset()
    key = tmp_path_factory.mktemp("key") / "id_ed25519"
    output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    made = Cloud(settings, key)
    made.command("up")
    yield made
    made.command("destroy")


@pytest.fixture(scope="module")
def subnet(cloud: Cloud) -> str:
    """A subnet, and what an instance in it needs."""
    ec2, iam = cloud.client("ec2"), cloud.client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.88.0.0/16")["Vpc"]["VpcId"]
    ec2.import_key_pair(
        KeyName="deployer", PublicKeyMaterial=cloud.key.with_suffix(".pub").read_bytes()
    )
    iam.create_role(RoleName="app", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="app")
    iam.add_role_to_instance_profile(InstanceProfileName="app", RoleName="app")
    made: str = ec2.create_subnet(VpcId=vpc, CidrBlock="10.88.1.0/24")["Subnet"]["SubnetId"]
    return made


def launch(cloud: Cloud, subnet: str, name: str, **options: Any) -> str:
    """Launch an instance as the role `instances` does, and return its id."""
    ec2 = cloud.client("ec2")
    images = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])
    launched = ec2.run_instances(
        ImageId=images["Images"][0]["ImageId"],
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        InstanceType="t3.micro",
        KeyName="deployer",
        IamInstanceProfile={"Name": "app"},
        MetadataOptions={"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]},
        ],
        **options,
    )
    instance: str = launched["Instances"][0]["InstanceId"]
    return instance


@pytest.fixture(scope="module")
def app(cloud: Cloud, subnet: str) -> str:
    instance = launch(cloud, subnet, "test-app-1", UserData=USER_DATA)
    cloud.await_state(instance, "running")
    return instance


@pytest.fixture
def address(cloud: Cloud, app: str) -> str:
    found: str = cloud.instance(app)["PrivateIpAddress"]
    return found


def test_a_host_boots_within_three_seconds(cloud: Cloud, subnet: str) -> None:
    instance = launch(cloud, subnet, "test-quick")
    assert cloud.state(instance) == "pending"
    assert cloud.await_state(instance, "running") < 3  # the target of the local cloud
    assert cloud.ssh(cloud.instance(instance)["PrivateIpAddress"], "true") == ""
    cloud.client("ec2").terminate_instances(InstanceIds=[instance])
    cloud.await_state(instance, "terminated")


def test_it_is_debian_under_systemd_with_the_address_of_the_api(cloud: Cloud, address: str) -> None:
    facts = cloud.ssh(
        address,
        "sudo readlink /proc/1/exe; systemctl is-system-running --wait; . /etc/os-release;"
        " echo $VERSION_CODENAME; ip -4 -o addr show eth0; hostname",
    ).splitlines()
    assert facts[0] == "/usr/lib/systemd/systemd"
    assert facts[1:3] == ["running", "bookworm"]
    assert f"inet {address}/16" in facts[3]
    assert facts[4] == "ip-" + address.replace(".", "-")


def test_a_sandboxed_service_runs_on_it(cloud: Cloud, address: str) -> None:
    sandbox = (
        "-p DynamicUser=yes -p ProtectSystem=strict -p PrivateUsers=yes -p PrivateTmp=yes "
        "-p PrivateDevices=yes -p ProtectKernelTunables=yes -p RestrictNamespaces=yes "
        "-p SystemCallFilter=@system-service -p MemoryDenyWriteExecute=yes"
    )
    assert "uid=" in cloud.ssh(address, f"sudo systemd-run --quiet --wait --pipe {sandbox} id")


def test_user_data_runs_once_and_only_at_the_first_boot(
    cloud: Cloud, app: str, address: str
) -> None:
    cloud.client("ec2").stop_instances(InstanceIds=[app])
    cloud.await_state(app, "stopped")
    cloud.client("ec2").start_instances(InstanceIds=[app])
    cloud.await_state(app, "running")
    assert cloud.ssh(address, "sudo cat /root/first-boots | wc -l") == "1"


def test_stop_and_start_keep_address_and_disk(cloud: Cloud, app: str, address: str) -> None:
    cloud.ssh(address, "echo kept > ~/note")
    cloud.client("ec2").stop_instances(InstanceIds=[app])
    cloud.await_state(app, "stopped")
    assert Machine(cloud.settings, app).pid is None
    cloud.client("ec2").start_instances(InstanceIds=[app])
    cloud.await_state(app, "running")
    assert cloud.instance(app)["PrivateIpAddress"] == address
    assert cloud.ssh(address, "cat ~/note") == "kept"


def test_reboot_boots_again(cloud: Cloud, app: str, address: str) -> None:
    count = "journalctl --list-boots --quiet --no-pager | wc -l"
    before = int(cloud.ssh(address, f"sudo {count}"))
    cloud.client("ec2").reboot_instances(InstanceIds=[app])

    def rebooted() -> bool:
        try:
            return int(cloud.ssh(address, f"sudo {count}")) == before + 1
        except Exception:
            return False

    wait_for(rebooted, "one more boot")
    assert cloud.state(app) == "running"


def test_shutting_down_inside_stops_the_instance(cloud: Cloud, app: str, address: str) -> None:
    cloud.ssh(address, "sudo systemd-run --quiet --on-active=0.1 poweroff")
    cloud.await_state(app, "stopped")
    cloud.client("ec2").start_instances(InstanceIds=[app])
    cloud.await_state(app, "running")


def test_a_killed_host_comes_back(cloud: Cloud, app: str, address: str) -> None:
    leader = Machine(cloud.settings, app).leader
    assert leader is not None
    os.kill(leader, signal.SIGKILL)
    wait_for(lambda: Machine(cloud.settings, app).leader not in (None, leader), "another leader")
    wait_for(lambda: answers(cloud, address), "SSH")


def answers(cloud: Cloud, address: str) -> bool:
    try:
        return cloud.ssh(address, "echo here") == "here"
    except Exception:
        return False


def test_metadata_needs_a_token_and_tells_the_tags(cloud: Cloud, app: str, address: str) -> None:
    base = "http://169.254.169.254/latest"
    assert (
        cloud.ssh(address, f"curl -s -o /dev/null -w '%{{http_code}}' {base}/meta-data/") == "401"
    )
    token = f'$(curl -s -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" {base}/api/token)'
    header = f'-H "X-aws-ec2-metadata-token: {token}"'
    assert cloud.ssh(address, f"curl -s {header} {base}/meta-data/instance-id") == app
    assert (
        cloud.ssh(address, f"curl -s {header} {base}/meta-data/tags/instance/Name") == "test-app-1"
    )


def test_boto3_inside_finds_role_and_region_by_itself(cloud: Cloud, app: str, address: str) -> None:
    """An empty environment but for the endpoint: keys and region come from the metadata."""
    copy_packages(cloud, address)
    script = (
        "import boto3; session = boto3.Session(); "
        "print(session.get_credentials().method); "
        "from botocore.utils import IMDSRegionProvider; "
        "import botocore.session; "
        "region = IMDSRegionProvider(botocore.session.Session()).provide(); print(region); "
        "sts = boto3.client('sts', region_name=region); print(sts.get_caller_identity()['Arn'])"
    )
    run = f"env -i AWS_ENDPOINT_URL={cloud.settings.endpoint} PYTHONPATH=packages python3 -c"
    said = cloud.ssh(address, f'{run} "{script}"').splitlines()
    assert said == [
        "iam-role",
        "eu-central-1",
        f"arn:aws:sts::123456789012:assumed-role/app/{app}",
    ]


def copy_packages(cloud: Cloud, address: str) -> None:
    """Bring boto3 and what it needs to the host, which may not reach a package index."""
    packages = Path(boto3.__file__).parents[1]
    names = ["boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py"]
    archive = subprocess.run(
        ["tar", "--create", "--directory", str(packages), *names], capture_output=True, check=True
    ).stdout
    unpack = "mkdir packages && tar --extract --directory packages"
    subprocess.run(cloud.ssh_command(address, unpack), input=archive, check=True)


def test_hosts_find_one_another_by_name_and_the_world_by_theirs(cloud: Cloud, address: str) -> None:
    own = cloud.ssh(address, "getent ahostsv4 test-app-1.local.internal | head -1")
    assert own.split()[0] == address
    assert cloud.ssh(address, "getent ahostsv4 test-app-1 | head -1").split()[0] == address
    assert cloud.ssh(address, "getent ahostsv4 nobody.local.internal | wc -l") == "0"
    assert cloud.ssh(address, "getent ahostsv4 deb.debian.org | wc -l") != "0"


def test_an_address_outside_the_bridge_is_refused_with_a_reason(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.66.0.0/16")["Vpc"]["VpcId"]
    far = ec2.create_subnet(VpcId=vpc, CidrBlock="10.66.1.0/24")["Subnet"]["SubnetId"]
    instance = launch(cloud, far, "test-far")
    cloud.await_state(instance, "terminated")
    reason = cloud.instance(instance)["StateReason"]["Message"]
    assert re.search(r"Server\.InternalError: .*10\.66\.1\.4 is outside 10\.88\.0\.0/16", reason)


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


def test_terminate_removes_the_host_and_its_disk(cloud: Cloud, subnet: str) -> None:
    instance = launch(cloud, subnet, "test-brief")
    cloud.await_state(instance, "running")
    cloud.client("ec2").terminate_instances(InstanceIds=[instance])
    cloud.await_state(instance, "terminated")
    assert not Machine(cloud.settings, instance).directory.exists()
    assert not list(Path("/run/netns").glob(f"*{instance}"))


def test_an_alarm_reaches_the_mailbox_and_outlives_the_daemon(cloud: Cloud) -> None:
    sns, cloudwatch = cloud.client("sns"), cloud.client("cloudwatch")
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
    wait_for(lambda: list(cloud.settings.mail.glob("*.eml")) != [], "an e-mail")
    (mail,) = cloud.settings.mail.glob("*.eml")
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


@pytest.mark.usefixtures("app")
def test_destroy_leaves_the_machine_as_found(cloud: Cloud, before: Traces) -> None:
    assert traces(cloud.settings) != before  # so that this test can fail
    cloud.command("destroy")
    assert traces(cloud.settings) == before
    assert not cloud.settings.state.exists()
    assert cloud.command("destroy").stdout == "There is no local cloud here.\n"


def test_destroy_works_even_when_the_state_was_deleted(cloud: Cloud, before: Traces) -> None:
    cloud.command("host", "start", "lost", "--ip", "10.88.200.11", "--key", str(cloud.key))
    cloud.command("up")
    shutil.rmtree(cloud.settings.state)
    assert cloud.command("destroy").stdout == "Destroyed.\n"
    assert traces(cloud.settings) == before


def test_the_last_lone_host_takes_the_network_with_it(cloud: Cloud, before: Traces) -> None:
    cloud.command("host", "start", "lone", "--ip", "10.88.200.10", "--key", str(cloud.key))
    cloud.command("host", "stop", "lone")
    assert traces(cloud.settings) == before
