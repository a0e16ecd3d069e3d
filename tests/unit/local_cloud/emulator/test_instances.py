"""Our changes to moto, tested with the pinned version."""

from importlib.metadata import version

import pytest
from botocore.exceptions import ClientError

from local_cloud.emulator import image_key
from tests.unit.local_cloud.emulator.running import AMI, Emulator, launch, make_subnet, state
from tests.unit.local_cloud.process import IMAGE_KEY


def test_moto_is_the_one_whose_insides_we_know() -> None:
    assert version("moto") == "5.2.5"


def test_a_machine_image_names_its_base_image() -> None:
    assert AMI == "ami-0123456789ab00000"  # 17 digits, as on AWS
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
    assert not emulator.settle(instance, "pending", "running")  # the stop came before the boot
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
    """SSH clients would reject another host at a known address."""
    subnet = make_subnet(emulator)
    instance = launch(emulator, SubnetId=subnet)["InstanceId"]
    emulator.client("ec2").terminate_instances(InstanceIds=[instance])
    emulator.settle(instance, "shutting-down", "terminated")
    assert launch(emulator, SubnetId=subnet)["PrivateIpAddress"] == "10.77.1.5"


def test_a_full_subnet_is_said_and_then_reused(emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.9.0/28")["Subnet"]["SubnetId"]
    launched = [
        launch(emulator, SubnetId=subnet) for _ in range(11)
    ]  # 16 minus the five that AWS reserves
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
