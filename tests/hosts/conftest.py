"""One local cloud for all tests of this directory, in a separate network.

The files run in the order of their names: ``test_account`` finds an empty account and leaves it
empty, ``test_groups`` and ``test_hosts`` boot hosts, ``test_removal`` destroys the cloud.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest

from local_cloud.preflight import cannot_boot
from local_cloud.settings import Settings
from tests.hosts.launching import launch
from tests.support.local_cloud_machine import Cloud, Traces, output, traces

USER_DATA = "#!/bin/sh\ndate +%s%N >> /root/first-boots\n"


@pytest.fixture(scope="session", autouse=True)
def _linux_and_root() -> None:
    if reason := cannot_boot(Settings.load()):
        pytest.skip(reason)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    state = tmp_path_factory.mktemp("cloud") / "state"
    cache = Settings.load({}).cache
    return Settings(state, cache, bridge="ccit", network=IPv4Network("10.88.0.0/16"), port=4966)


@pytest.fixture(scope="session")
def before(settings: Settings) -> Traces:
    """The state of the machine before the first boot."""
    return traces(settings)


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def key_pair(cloud: Cloud) -> str:
    """The name of a key pair whose private key the cloud's SSH uses."""
    public = cloud.key.with_suffix(".pub").read_bytes()
    cloud.client("ec2").import_key_pair(KeyName="deployer", PublicKeyMaterial=public)
    return "deployer"


@pytest.fixture(scope="session")
def subnet(cloud: Cloud, key_pair: str) -> str:
    """A subnet with everything that an instance in it needs."""
    assert key_pair
    ec2, iam = cloud.client("ec2"), cloud.client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.88.0.0/16")["Vpc"]["VpcId"]
    iam.create_role(RoleName="app", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="app")
    iam.add_role_to_instance_profile(InstanceProfileName="app", RoleName="app")
    made: str = ec2.create_subnet(VpcId=vpc, CidrBlock="10.88.1.0/24")["Subnet"]["SubnetId"]
    return made


@pytest.fixture(scope="session")
def app(cloud: Cloud, subnet: str) -> str:
    """An instance for several tests; a test that stops it starts it again."""
    instance = launch(cloud, subnet, "test-app-1", UserData=USER_DATA)
    cloud.await_state(instance, "running")
    return instance


@pytest.fixture
def address(cloud: Cloud, app: str) -> str:
    found: str = cloud.instance(app)["PrivateIpAddress"]
    return found
