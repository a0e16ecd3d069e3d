"""The AWS account for a canary: instances, live colour, bucket, tables, dashboard, policy."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.tables import make_table

REGION = "eu-central-1"
COLOURS = ("blue", "green")
DASHBOARD = "shop-test-release"
GRAPH = {
    "metrics": [["Shop", "errors", "Environment", "test"]],
    "region": REGION,
    "title": "Errors",
}


@dataclass(frozen=True)
class Account:
    """The instance id of each colour, and the topic."""

    instances: dict[str, str]
    topic: str


def provision(client: Callable[[str], Any]) -> Account:
    """Create everything that the environment of a canary names."""
    client("ssm").put_parameter(Name="/shop/test/live", Value="blue", Type="String")
    client("s3").create_bucket(
        Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    widget = {"type": "metric", "width": 12, "height": 6, "properties": GRAPH}
    client("cloudwatch").put_dashboard(
        DashboardName=DASHBOARD, DashboardBody=json.dumps({"widgets": [widget]})
    )
    make_table(client("dynamodb"), "lock", "environment")
    make_table(client("dynamodb"), "history", "environment", "canary")
    topic: str = client("sns").create_topic(Name="events")["TopicArn"]
    return Account(_launch(client("ec2")), topic)


def _launch(ec2: Any) -> dict[str, str]:
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.1.0/24")["Subnet"]["SubnetId"]
    instances = {}
    for colour in COLOURS:
        tags = {"role": "app", "colour": colour, "Environment": "test"}
        tags["Name"] = f"test-app-{colour}-1"
        tagged = [{"Key": key, "Value": value} for key, value in tags.items()]
        launched = ec2.run_instances(
            ImageId="ami-0123456789ab00000",
            InstanceType="t3.micro",
            MinCount=1,
            MaxCount=1,
            SubnetId=subnet,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tagged}],
        )
        instances[colour] = launched["Instances"][0]["InstanceId"]
    return instances


def policy(endpoint: str, account: Account) -> dict[str, Any]:
    """Return a policy of two minutes at most, with a hook that records each deployment."""
    hook = ["sh", "-c", "echo {colour} {release} {artifact} {sha256} >> deployed.txt"]
    return {
        "version": 1,
        "period": 5,
        "warmup": 5,
        "minimum": 50,
        "maximum": 120,
        "steps": [0.2, 0.5],
        "traffic_rule": {"minimum_samples": 50, "split_tolerance": "20 points"},
        "metrics": [
            {"name": "latency", "kind": "latency", "margin": "15%"},
            {"name": "errors", "kind": "count", "negligible": "1%"},
            {"name": "retries", "kind": "count", "source": "proxy.retries", "negligible": "1%"},
        ],
        "environment": {
            "name": "test",
            "region": REGION,
            "endpoint_url": endpoint,
            "source": {"kind": "cloudwatch", "namespace": "Shop", "settle": 1},
            "traffic": {"kind": "haproxy", "host": "proxy", "key": "k", "known_hosts": "h"},
            "artifact": {"kind": "python"},
            "hooks": {"deploy": {"command": hook, "timeout": 20}},
            "state": {
                "kind": "aws",
                "live_parameter": "/shop/test/live",
                "lock_table": "lock",
                "history_table": "history",
                "bucket": "releases",
                "topic": account.topic,
            },
            "dashboard": {"name": DASHBOARD, "namespace": "Shop", "metric": "traffic_weight"},
        },
    }
