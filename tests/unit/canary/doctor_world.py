"""An account in order, and what ``canary doctor`` finds in it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import ClientError

from canary.doctor.cloud import Cloud
from canary.doctor.examine import examine
from canary.doctor.finding import Finding, Level
from canary.doctor.needs import Needs, Size
from canary.doctor.rights import PROVISIONING
from canary.model import Arm, Release, Series
from canary.sources.base import Query, Window

REGION = "eu-central-1"
ACCOUNT = "123456789012"  # moto's default account
TAGS = {"Project": "shop", "Environment": "aws"}
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:shop-aws-events"
MAIL = "ops@example.org"
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


class Pages:
    def __init__(self, *pages: dict[str, Any]) -> None:
        self._pages = pages

    def paginate(self, **_: object) -> tuple[dict[str, Any], ...]:
        return self._pages


class Iam:
    """moto simulates no policies."""

    def __init__(self) -> None:
        self.denied: set[str] = set()

    def get_paginator(self, name: str) -> Pages:
        assert name == "simulate_principal_policy"
        results = [
            {"EvalActionName": each, "EvalDecision": self.decision(each)} for each in PROVISIONING
        ]
        half = len(results) // 2
        return Pages({"EvaluationResults": results[:half]}, {"EvaluationResults": results[half:]})

    def decision(self, action: str) -> str:
        return "implicitDeny" if action in self.denied else "allowed"


class Silent:
    """A service that refuses every question."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_: object, **__: object) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, name)

        return refuse


class Quotas:
    """moto knows no quota of EC2."""

    value = 32.0

    def get_service_quota(self, **_: object) -> dict[str, Any]:
        return {"Quota": {"Value": self.value}}


class Sns:
    """moto confirms every subscription at once."""

    subscription = f"{TOPIC}:1"
    addresses: tuple[str, ...] = (MAIL,)

    def get_paginator(self, name: str) -> Pages:
        if name == "list_topics":
            return Pages({"Topics": [{"TopicArn": TOPIC}]})
        found = [
            {"Endpoint": each, "SubscriptionArn": self.subscription} for each in self.addresses
        ]
        return Pages({"Subscriptions": found})


class World(Cloud):
    """An account in order, in which each test plants one fault."""

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
    """Return what an environment needs of the account, with a certificate in ``place``."""
    return Needs(
        account=ACCOUNT,
        region=REGION,
        instances={"t3.small": 7},
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
    words = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {place}/key -out {path} -subj /CN=x"
    subprocess.run([*words.split(), "-days", str(days)], check=True, capture_output=True)
    return path


def launch(**tags: str) -> str:
    """Launch an instance, and return its public address."""
    ec2 = boto3.client("ec2", REGION)
    image = ec2.describe_images(Owners=[IMAGE_OWNER])["Images"][0]["ImageId"]
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


def level_of_others(world: World, needs: Needs, check: str) -> set[Level]:
    """Return the levels of all other checks; moto's CloudWatch has no data for ``metrics``."""
    return {f.level for name, f in found(world, needs).items() if name not in {check, "metrics"}}


class Reported:
    """A source whose newest datapoint is of ``newest``."""

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

    def describe(self) -> str:
        return "a test"
