"""Security groups are enforced: rejected packets get no response."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from local_cloud.cloud import daemon_pid
from local_cloud.commands import run, succeeds
from local_cloud.groups import FILTERED
from tests.support.local_cloud_machine import Cloud
from tests.support.waiting import wait_for

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not FILTERED.exists(), reason="this kernel has no br_netfilter"),
]
PORT = 5432
LISTEN = f"sudo systemd-run --unit=listen python3 -m http.server {PORT}"
GATEWAY, STRANGER = "198.51.100.1", "198.51.100.2"
# exit status 0 with a response, 124 without
KNOCK = "timeout 3 bash -c 'exec 3<>/dev/tcp/{address}/{port}'; echo $?"


@dataclass
class World:
    """An app host, a data host, and a host without our security groups."""

    cloud: Cloud
    groups: dict[str, str]
    addresses: dict[str, str]
    ids: dict[str, str]

    def reaches(self, source: str, target: str, port: int = PORT) -> bool:
        command = KNOCK.format(address=self.addresses[target], port=port)
        return self.cloud.ssh(self.addresses[source], command) == "0"


def group(ec2: Any, vpc: str, name: str) -> str:
    made: str = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    return made


@pytest.fixture(scope="module")
def world(cloud: Cloud, key_pair: str) -> Iterator[World]:
    made = furnish(cloud, key_pair)
    yield made
    cloud.client("ec2").terminate_instances(InstanceIds=list(made.ids.values()))
    for instance in made.ids.values():
        cloud.await_state(instance, "terminated")


def furnish(cloud: Cloud, key_pair: str) -> World:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.88.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.88.2.0/24")["Subnet"]["SubnetId"]
    groups = {name: group(ec2, vpc, name) for name in ("app", "data", "other")}
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])
    ids = {}
    for name, its in groups.items():
        launched = ec2.run_instances(
            ImageId=image["Images"][0]["ImageId"],
            MinCount=1,
            MaxCount=1,
            SubnetId=subnet,
            InstanceType="t3.micro",
            KeyName=key_pair,
            SecurityGroupIds=[its],
        )
        ids[name] = launched["Instances"][0]["InstanceId"]
    addresses = {}
    for name, instance in ids.items():
        wait_for(lambda i=instance: cloud.state(i) == "running", f"{name} runs", seconds=120)  # type: ignore[misc]
        addresses[name] = cloud.instance(instance)["PrivateIpAddress"]
    allow(cloud, groups)
    cloud.ssh(addresses["data"], LISTEN)
    world = World(cloud, groups, addresses, ids)
    wait_for(lambda: world.reaches("app", "data"), "the app reaches its database", seconds=60)
    return world


def allow(cloud: Cloud, groups: dict[str, str]) -> None:
    cloud.client("ec2").authorize_security_group_ingress(
        GroupId=groups["data"], IpPermissions=[from_app(groups)]
    )


def from_app(groups: dict[str, str]) -> dict[str, Any]:
    source = [{"GroupId": groups["app"]}]
    return {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, "UserIdGroupPairs": source}


def test_the_database_answers_app_hosts_and_nobody_else(world: World) -> None:
    assert world.reaches("app", "data")
    assert not world.reaches("other", "data")
    assert not world.reaches("app", "data", port=22), "only its port was opened"
    assert not world.reaches("data", "app", port=22), "an answer is not a way back"


def test_the_controller_reaches_every_host_and_hosts_reach_the_api(world: World) -> None:
    token = "curl -s -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60'"
    for name in world.addresses:
        answer = world.cloud.ssh(
            world.addresses[name], f"{token} http://169.254.169.254/latest/api/token | wc -c"
        )
        assert int(answer) > 10, name


def test_a_right_that_is_revoked_is_gone_and_comes_back(world: World) -> None:
    ec2 = world.cloud.client("ec2")
    ec2.revoke_security_group_ingress(
        GroupId=world.groups["data"], IpPermissions=[from_app(world.groups)]
    )
    wait_for(lambda: not world.reaches("app", "data"), "nobody is let in", seconds=60)
    allow(world.cloud, world.groups)
    wait_for(lambda: world.reaches("app", "data"), "the app is let in again", seconds=60)


def test_an_instance_can_change_its_group(world: World) -> None:
    ec2, other = world.cloud.client("ec2"), world.ids["other"]
    groups = world.groups
    ec2.modify_instance_attribute(InstanceId=other, Groups=[groups["other"], groups["app"]])
    wait_for(lambda: world.reaches("other", "data"), "it is an app host now", seconds=60)
    ec2.modify_instance_attribute(InstanceId=other, Groups=[groups["other"]])
    wait_for(lambda: not world.reaches("other", "data"), "it is none any more", seconds=60)


@pytest.fixture
def stranger() -> Iterator[Callable[[str, int], bool]]:
    """Yield a check: does a machine of another network, routed through here, reach a port?"""
    name = f"stranger{os.getpid()}"
    near, far = f"st{os.getpid() % 100_000}a", f"st{os.getpid() % 100_000}b"
    with ExitStack() as ending:
        run("ip", "netns", "add", name)
        ending.callback(run, "ip", "netns", "delete", name)
        run("ip", "link", "add", near, "type", "veth", "peer", far, "netns", name)
        run("ip", "address", "add", f"{GATEWAY}/30", "dev", near)
        run("ip", "link", "set", near, "up")
        run("ip", "-n", name, "address", "add", f"{STRANGER}/30", "dev", far)
        run("ip", "-n", name, "link", "set", far, "up")
        run("ip", "-n", name, "route", "add", "default", "via", GATEWAY)

        def reaches(address: str, port: int) -> bool:
            knock = f"exec 3<>/dev/tcp/{address}/{port}"
            return succeeds("ip", "netns", "exec", name, "timeout", "3", "bash", "-c", knock)

        yield reaches


def test_another_network_reaches_only_what_a_group_opens(
    world: World, stranger: Callable[[str, int], bool]
) -> None:
    """A machine that routes through this one must not reach other ports, or the open API."""
    settings = world.cloud.settings
    assert not stranger(world.addresses["data"], PORT)
    assert not stranger(str(settings.gateway), settings.port)
    opened = {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT}
    permission = [{**opened, "IpRanges": [{"CidrIp": f"{STRANGER}/32"}]}]
    ec2, group = world.cloud.client("ec2"), world.groups["data"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission)
    wait_for(lambda: stranger(world.addresses["data"], PORT), "the group opens a port", seconds=60)
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=permission)


def test_they_hold_while_the_api_is_dead(world: World) -> None:
    """The kernel enforces the rules while the daemon is down."""
    daemon = daemon_pid(world.cloud.settings)
    assert daemon is not None
    os.kill(daemon, signal.SIGKILL)
    assert world.reaches("app", "data")
    assert not world.reaches("other", "data")
    world.cloud.command("up")
    assert world.reaches("app", "data")
    assert not world.reaches("other", "data")
