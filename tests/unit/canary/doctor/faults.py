"""Faults, each planted in a correct account, and the doctor's sentences about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import boto3

from canary.doctor.needs import Needs
from tests.unit.canary.doctor.stubs import REGION, Sts
from tests.unit.canary.doctor.world import World, certificate, offered_in_part, write_policy


def wrong_account(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    return needs.model_copy(update={"account": "210987654321"})


def missing_right(world: World, needs: Needs) -> Needs:
    world.stubs["iam"].denied.add("iam:PassRole")
    return needs


def small_quota(world: World, needs: Needs) -> Needs:
    world.stubs["service-quotas"].values["L-1216C47A"] = 5.0  # that of a new account
    return needs


def too_many_networks(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    for number in range(4):  # beside the account's default VPC
        boto3.client("ec2", REGION).create_vpc(CidrBlock=f"10.{number}.0.0/16")
    return needs


def too_many_addresses(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    for _ in range(4):
        boto3.client("ec2", REGION).allocate_address(Domain="vpc")
    return needs


def own_resources(world: World, needs: Needs) -> Needs:
    """A second run needs nothing in addition to the existing resources."""
    ec2 = boto3.client("ec2", REGION)
    tags = [{"Key": key, "Value": value} for key, value in needs.tags.items()]
    made = [ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]]
    subnet = ec2.create_subnet(VpcId=made[0], CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    held = [ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(2)]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=held[1])["NatGateway"]
    ec2.create_tags(Resources=[*made, held[0], nat["NatGatewayId"]], Tags=tags)
    world.stubs["service-quotas"].values = {
        "L-1216C47A": 14.0,
        "L-F678F1CE": 2.0,
        "L-0263D0A3": 2.0,
    }
    return needs


def no_such_zone(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    return needs.model_copy(update={"zones": [f"{REGION}a", f"{REGION}x"]})


def zone_without_the_type(world: World, needs: Needs) -> Needs:
    """A type that two of the region's three zones offer."""
    kind, zone = offered_in_part(REGION)
    assert world.seen_as
    return needs.model_copy(update={"zones": [zone], "instances": {kind: 1}})


def expired_token(world: World, needs: Needs) -> Needs:
    date = format_datetime(datetime.now(UTC), usegmt=True)
    world.stubs["sts"] = Sts("ExpiredToken", "The security token is expired", date)
    return needs


def refused_clock(world: World, needs: Needs) -> Needs:
    """Let AWS refuse a signature that is five minutes old."""
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    world.stubs["sts"] = Sts("SignatureDoesNotMatch", "Signature expired", date)
    return needs


def no_zone(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    return needs.model_copy(update={"instances": {"t3.small": 6, "u-24tb1.metal": 1}})


def no_image(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    image = needs.image.model_copy(update={"name": "debian-99-*"})
    return needs.model_copy(update={"image": image})


def wrong_clock(world: World, needs: Needs) -> Needs:
    world.skew = -90
    return needs


def moved(world: World, needs: Needs) -> Needs:
    world.seen_as = "198.51.100.9"
    return needs


def moved_but_not_applied(world: World, needs: Needs) -> Needs:
    world.seen_as = "198.51.100.9"
    return needs.model_copy(update={"administrators": ["198.51.100.9/32"]})


def expires_soon(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    certificate(Path(needs.certificates[0]).parent, days=3)
    return needs


def expired(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    certificate(Path(needs.certificates[0]).parent, days=-3)
    return needs


def unconfirmed(world: World, needs: Needs) -> Needs:
    world.stubs["sns"].subscription = "PendingConfirmation"
    return needs


def unsubscribed(world: World, needs: Needs) -> Needs:
    world.stubs["sns"].addresses = ()
    return needs


def stale_policy(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    write_policy(needs, "192.0.2.1")
    return needs


def policy_of_another_region(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    write_policy(needs, "192.0.2.1", region="us-east-1")
    return needs


SITE = "ansible-playbook -i inventory/aws site.yml"
FAULTS = [
    (wrong_account, "credentials", "belongs to account 210987654321", "export AWS_PROFILE="),
    (missing_right, "rights", "may not: iam:PassRole", "policy"),
    (expired_token, "credentials", "The security token is expired", "aws sso login"),
    (small_quota, "quota", "14 vCPUs are needed", "--service-code ec2 --quota-code L-1216C47A"),
    (too_many_networks, "quota", "5 are in use by others, 5 allowed", "--service-code vpc"),
    (too_many_addresses, "quota", "2 Elastic IPs are needed, 4 are in use", "L-0263D0A3"),
    (no_zone, "zones", "offers t3.small and u-24tb1.metal", "instances_type"),
    (no_such_zone, "zones", "There is no zone eu-central-1x in eu-central-1", "network_subnets"),
    (zone_without_the_type, "zones", "does not offer", "instances_type"),
    (refused_clock, "clock", "s behind of AWS", "timedatectl"),
    (no_image, "image", "is called debian-99-*", "instances_image"),
    (wrong_clock, "clock", "s behind of AWS", "timedatectl"),
    (moved, "address", "Your address is 198.51.100.9", "CART_CANARY_ADMIN_CIDR=198.51.100.9/32"),
    (moved_but_not_applied, "address", "security group shop-aws-proxy admits 203.0.113.7/32", SITE),
    (expires_soon, "certificate", "expires in 2 days", SITE),
    (expired, "certificate", "shop.pem expired on 20", SITE),
    (unconfirmed, "mail", "has not confirmed", "aws sns subscribe"),
    (unsubscribed, "mail", "ops@example.org is not subscribed", SITE),
    (stale_policy, "policy", "is out of date: it names proxy 192.0.2.1", "--tags analyzer"),
    (policy_of_another_region, "policy", "is of region us-east-1", "--tags analyzer"),
]


#: These faults also make other checks fail, or leave them unknown.
SEVERAL = (wrong_clock, no_zone, expired_token, refused_clock)
#: These do not stop site.yml, which fixes them or does not depend on them.
MENDED = (
    *(moved_but_not_applied, expires_soon, expired, unconfirmed, unsubscribed),
    *(stale_policy, policy_of_another_region),
)
