"""The AWS account in the emulator: the resources of the roles that a canary needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

from tests.support.inventory import Inventory
from tests.support.tables import make_table

CONTROLLER = "localhost"
IMAGE = "ami-0123456789ab00000"


def provision(inventory: Inventory, client: Callable[[str], Any]) -> None:
    """Create instances, bucket, tables, topic, parameter and dashboard with the same names."""
    value = inventory.values(CONTROLLER)
    region = value("aws_region")
    client("s3").create_bucket(
        Bucket=value("release_bucket"), CreateBucketConfiguration={"LocationConstraint": region}
    )
    client("ssm").put_parameter(Name=value("storage_parameter"), Value="blue", Type="String")
    client("sns").create_topic(Name=value("storage_topic_arn").split(":")[-1])
    for table in value("storage_tables"):
        keys = [table["key"], *([table["sort"]] if "sort" in table else [])]
        make_table(client("dynamodb"), table["name"], *keys)
    client("cloudwatch").put_dashboard(
        DashboardName=f"{value('dashboards_prefix')}-release",
        DashboardBody=json.dumps({"widgets": [_graph(value)]}),
    )
    _launch(client("ec2"), value)


def _graph(value: Callable[[str], Any]) -> dict[str, Any]:
    series = [value("metric_namespace"), "errors", "Environment", value("environment_name")]
    properties = {"metrics": [series], "region": value("aws_region"), "title": "Errors"}
    return {"type": "metric", "width": 12, "height": 6, "properties": properties}


def _launch(ec2: Any, value: Callable[[str], Any]) -> None:
    """Launch the instances of the inventory; the emulator gives each an address of its subnet."""
    vpc = ec2.create_vpc(CidrBlock=value("network_cidr"))["Vpc"]["VpcId"]
    subnets = {
        each["name"]: ec2.create_subnet(VpcId=vpc, CidrBlock=str(IPv4Network(each["cidr"])))
        for each in value("network_subnets")
    }
    for kind in value("instances_hosts"):
        for number in range(1, kind["count"] + 1):
            words = [value("instances_environment"), kind["role"], kind.get("colour")]
            tags = {**value("instances_tags"), "role": kind["role"]}
            tags |= {"colour": kind["colour"]} if "colour" in kind else {}
            tags["Name"] = "-".join([*filter(None, words), str(number)])
            ec2.run_instances(
                ImageId=IMAGE,
                InstanceType=value("instances_type"),
                MinCount=1,
                MaxCount=1,
                SubnetId=subnets[kind["subnet"]]["Subnet"]["SubnetId"],
                TagSpecifications=[
                    {
                        "ResourceType": "instance",
                        "Tags": [{"Key": key, "Value": text} for key, text in tags.items()],
                    }
                ],
            )
