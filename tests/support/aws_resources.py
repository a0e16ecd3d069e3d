"""The resources in an account that this project's playbooks created."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Client = Callable[[str], Any]
"""Returns the boto3 client of a service."""
OURS = [{"Name": "tag:Project", "Values": ["shop"]}]
STATES = {"Name": "instance-state-name", "Values": ["pending", "running", "stopped"]}
LIVE = [{"Name": "state", "Values": ["pending", "available"]}]


def instances(client: Client) -> dict[str, dict[str, Any]]:
    """Return the existing hosts by name."""
    found = client("ec2").describe_instances(Filters=[STATES])["Reservations"]
    return {
        next(tag["Value"] for tag in each["Tags"] if tag["Key"] == "Name"): each
        for reservation in found
        for each in reservation["Instances"]
    }


def left_over(client: Client) -> dict[str, list[str]]:
    """Return the existing resources of the playbooks by kind."""
    found = {**_network(client("ec2")), **_rights(client("iam")), **_storage(client)}
    found["hosts"] = list(instances(client))
    found["health checks"] = [
        each["Id"] for each in client("route53").list_health_checks()["HealthChecks"]
    ]
    monitoring = client("cloudwatch")
    found["dashboards"] = [
        d["DashboardName"] for d in monitoring.list_dashboards()["DashboardEntries"]
    ]
    found["alarms"] = [a["AlarmName"] for a in monitoring.describe_alarms()["MetricAlarms"]]
    return {kind: names for kind, names in found.items() if names}


def _network(ec2: Any) -> dict[str, list[str]]:
    groups = ec2.describe_security_groups(Filters=OURS)["SecurityGroups"]
    gateways = ec2.describe_internet_gateways(Filters=OURS)["InternetGateways"]
    tables = ec2.describe_route_tables(Filters=OURS)["RouteTables"]
    nats = ec2.describe_nat_gateways(Filters=LIVE)["NatGateways"]
    return {
        "vpcs": [vpc["VpcId"] for vpc in ec2.describe_vpcs(Filters=OURS)["Vpcs"]],
        "subnets": [each["SubnetId"] for each in ec2.describe_subnets(Filters=OURS)["Subnets"]],
        "groups": [each["GroupName"] for each in groups],
        "gateways": [each["InternetGatewayId"] for each in gateways],
        "tables of routes": [each["RouteTableId"] for each in tables],
        "NAT gateways": [each["NatGatewayId"] for each in nats],
        "addresses": [each["PublicIp"] for each in ec2.describe_addresses()["Addresses"]],
        "volumes": [each["VolumeId"] for each in ec2.describe_volumes()["Volumes"]],
        "snapshots": [
            each["SnapshotId"] for each in ec2.describe_snapshots(Filters=OURS)["Snapshots"]
        ],
        "keys": [each["KeyName"] for each in ec2.describe_key_pairs()["KeyPairs"]],
    }


def _rights(iam: Any) -> dict[str, list[str]]:
    profiles = iam.list_instance_profiles()["InstanceProfiles"]
    return {
        "roles": [r["RoleName"] for r in iam.list_roles()["Roles"] if "shop" in r["RoleName"]],
        "profiles": [profile["InstanceProfileName"] for profile in profiles],
    }


def _storage(client: Client) -> dict[str, list[str]]:
    parameters = client("ssm").describe_parameters()["Parameters"]
    return {
        "buckets": [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]],
        "tables": client("dynamodb").list_tables()["TableNames"],
        "parameters": [p["Name"] for p in parameters if p["Name"].startswith("/shop")],
        "topics": [topic["TopicArn"] for topic in client("sns").list_topics()["Topics"]],
        "log groups": [
            g["logGroupName"] for g in client("logs").describe_log_groups()["logGroups"]
        ],
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "registries": [
            each["repositoryName"] for each in client("ecr").describe_repositories()["repositories"]
        ],
    }
