"""EC2 instances are real hosts, booted on a separate bridge."""

import os
import re
import signal
import subprocess
from pathlib import Path

import boto3
import pytest

from local_cloud.machine import Machine
from tests.hosts.launching import launch
from tests.support.local_cloud_machine import Cloud
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(300)]


def test_a_host_boots_within_three_seconds(cloud: Cloud, subnet: str) -> None:
    instance = launch(cloud, subnet, "test-quick")
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


def test_packages_can_link_a_manual_page(cloud: Cloud, address: str) -> None:
    """A JDK makes links there when it is installed, so it fails without the directory."""
    made = cloud.ssh(
        address,
        "sudo update-alternatives --install /usr/local/bin/probe probe /bin/true 1 "
        "--slave /usr/share/man/man1/probe.1.gz probe.1.gz /etc/hostname"
        " && readlink /usr/share/man/man1/probe.1.gz",
    )
    assert made.splitlines()[-1] == "/etc/alternatives/probe.1.gz"


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
    """The environment has only the endpoint. Keys and region come from the metadata."""
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
    """Copy boto3 and its dependencies to the host, which may not reach a package index."""
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


def test_terminate_removes_the_host_and_its_disk(cloud: Cloud, subnet: str) -> None:
    instance = launch(cloud, subnet, "test-brief")
    cloud.await_state(instance, "running")
    cloud.client("ec2").terminate_instances(InstanceIds=[instance])
    cloud.await_state(instance, "terminated")
    assert not Machine(cloud.settings, instance).directory.exists()
    assert not list(Path("/run/netns").glob(f"*{instance}"))
