"""A correct account, and the findings of ``canary doctor`` in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import yaml

from canary.doctor.cloud import Cloud
from canary.doctor.examine import examine
from canary.doctor.finding import Finding, Level
from canary.doctor.needs import Needs, Size
from canary.model import Arm, Release, Series
from canary.sources.base import Query, Window
from tests.support.certificates import self_signed
from tests.unit.canary.doctor.stubs import ACCOUNT, MAIL, REGION, TOPIC, Iam, Quotas, Sns

TAGS = {"Project": "shop", "Environment": "aws"}
ME = "203.0.113.7"
IMAGE_OWNER = "099720109477"  # Ubuntu, which moto has


SIZE = Size(
    volume_gb=112,
    nat_gateways=1,
    addresses=3,
    metrics=40,
    publishers=4,
    period=10,
    alarms=14,
    dashboards=4,
)


class World(Cloud):
    """A correct account, in which each test plants one fault."""

    def __init__(self, needs: Needs) -> None:
        super().__init__(needs)
        self.skew = 0.0
        self.seen_as = ME
        self.stubs: dict[str, Any] = {"iam": Iam(), "service-quotas": Quotas(), "sns": Sns()}
        real = self.client
        self.client = lambda service: self.stubs.get(service) or real(service)  # type: ignore[assignment]

    def now(self) -> float:
        return datetime.now(UTC).timestamp() + self.skew

    def address(self) -> str:
        return self.seen_as


def needs_in(place: Path) -> Needs:
    """Return the needs of an environment, with a certificate in ``place``."""
    return Needs(
        account=ACCOUNT,
        region=REGION,
        instances={"t3.small": 7},
        zones=[f"{REGION}a"],
        elastic_addresses=2,
        size=SIZE,
        image={"owner": IMAGE_OWNER, "name": "ubuntu/images/*"},  # type: ignore[arg-type]
        tags=TAGS,
        administrators=[f"{ME}/32"],
        door="shop-aws-proxy",
        topic=TOPIC,
        emails=[MAIL],
        certificates=[str(certificate(place, days=90))],
        policy=str(place / "canary.yml"),
        site="ansible-playbook -i inventory/aws site.yml",
    )


def certificate(place: Path, days: int) -> Path:
    path = place / "shop.pem"
    path.write_bytes(self_signed(days)[1])
    return path


@cache
def some_image() -> str:
    """Return an image that moto always has; moto takes long to list them."""
    images = boto3.client("ec2", REGION).describe_images(Owners=[IMAGE_OWNER])["Images"]
    return str(images[0]["ImageId"])


def launch(**tags: str) -> str:
    """Launch an instance, and return its public address."""
    ec2 = boto3.client("ec2", REGION)
    image = some_image()
    named = [{"Key": key, "Value": value} for key, value in {**TAGS, **tags}.items()]
    made = ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.small",
        TagSpecifications=[{"ResourceType": "instance", "Tags": named}],
    )["Instances"][0]["InstanceId"]
    found = ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"][0]
    return str(found["PublicIpAddress"])


def offered_in_part(region: str) -> tuple[str, str]:
    """Return an instance type, and an existing zone that does not offer it."""
    ec2 = boto3.client("ec2", region)
    zones = {each["ZoneName"] for each in ec2.describe_availability_zones()["AvailabilityZones"]}
    pages = ec2.get_paginator("describe_instance_type_offerings")
    offered: dict[str, set[str]] = {}
    for page in pages.paginate(LocationType="availability-zone"):
        for each in page["InstanceTypeOfferings"]:
            offered.setdefault(each["InstanceType"], set()).add(each["Location"])
    kind, found = min((k, z) for k, z in sorted(offered.items()) if zones - z)
    return kind, min(zones - found)


def write_policy(needs: Needs, host: str, region: str = REGION) -> None:
    environment = {
        "name": "aws",
        "region": region,
        "source": {"kind": "cloudwatch", "namespace": "Shop", "settle": 20},
        "traffic": {"kind": "haproxy", "host": host, "key": "k", "known_hosts": "h"},
    }
    metric = {"name": "latency", "kind": "latency", "harm": "increase", "margin": "10%"}
    policy = {"version": 1, "period": "10s", "metrics": [metric], "environment": environment}
    Path(needs.policy).write_text(yaml.safe_dump(policy), encoding="utf-8")


def found(world: World, needs: Needs) -> dict[str, Finding]:
    return {each.check: each for each in examine(world, needs)}


def levels_of_others(findings: dict[str, Finding], check: str) -> set[Level]:
    """Return the levels of all other checks; moto's CloudWatch has no data for ``metrics``."""
    return {each.level for name, each in findings.items() if name not in {check, "metrics"}}


class Reported:
    """A source whose newest datapoint has the time ``newest``."""

    own_clocks = False

    def __init__(self, newest: int | None) -> None:
        self._newest = newest

    def instances(self, colour: str, window: Window | None = None) -> tuple[str, ...]:
        assert window is None
        return ("i-1",) if colour == "blue" else ()

    def read(
        self, queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        assert queries
        (arm,) = arms
        times = tuple(range(start, end, 10))
        newest = self._newest
        values = tuple(1.0 if newest is not None and time <= newest else None for time in times)
        return (Series("requests", arm, "i-1", times, values, values),)

    def names(self, _colour: str) -> tuple[str, ...]:
        return ("requests",)

    def describe(self) -> str:
        return "a test"

    def found_by(self, colour: str) -> str:
        return f"It simulates every host of {colour}"
