"""Quotas of the account, against what the environment needs and what others use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from canary.doctor.cloud import Cloud
from canary.doctor.finding import Finding, ok, problem
from canary.doctor.needs import Needs

RUNNING = {"Name": "instance-state-name", "Values": ["pending", "running"]}


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of AWS. ``count`` returns how many are needed, and how many others use."""

    noun: str
    service: str
    code: str
    count: Callable[[Cloud, Needs], tuple[int, int]]


def quota(cloud: Cloud, needs: Needs) -> Finding:
    sentences, commands = [], []
    for each in QUOTAS:
        wanted, others = each.count(cloud, needs)
        allowed = _allowed(cloud, each)
        if wanted + others > allowed:
            commands.append(_increase(each, wanted + others, needs))
            others_use = f", {others} are in use by others" if others else ""
            sentences.append(f"{wanted} {each.noun} are needed{others_use}, {allowed} allowed")
    if commands:
        return problem("quota", "; ".join(sentences), " && ".join(commands), blocking=True)
    return ok("quota", f"Enough {', '.join(each.noun for each in QUOTAS)}")


def _increase(quota: Quota, value: int, needs: Needs) -> str:
    return (
        f"aws service-quotas request-service-quota-increase --service-code {quota.service} "
        f"--quota-code {quota.code} --desired-value {value} --region {needs.region}"
    )


def _allowed(cloud: Cloud, quota: Quota) -> int:
    client = cloud.client("service-quotas")
    names = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    try:
        found = client.get_service_quota(**names)
    except ClientError as error:
        # An account whose quota was never changed may have only the default.
        if error.response["Error"]["Code"] != "NoSuchResourceException":
            raise
        found = _default(client, names, error)
    return math.floor(float(found["Quota"]["Value"]))


def _default(client: Any, names: dict[str, str], unknown: ClientError) -> dict[str, Any]:
    try:
        return dict(client.get_aws_default_service_quota(**names))
    except ClientError:
        raise unknown from None


def vcpus(cloud: Cloud, needs: Needs) -> tuple[int, int]:
    ec2 = cloud.client("ec2")
    pages = ec2.get_paginator("describe_instances").paginate(Filters=[RUNNING])
    running = [
        each for page in pages for group in page["Reservations"] for each in group["Instances"]
    ]
    kinds = {*needs.instances, *(each["InstanceType"] for each in running)}
    described = ec2.describe_instance_types(InstanceTypes=sorted(kinds))["InstanceTypes"]
    size = {each["InstanceType"]: each["VCpuInfo"]["DefaultVCpus"] for each in described}
    others = sum(size[each["InstanceType"]] for each in running if not _ours(each, needs))
    return sum(size[kind] * count for kind, count in needs.instances.items()), others


def vpcs(cloud: Cloud, needs: Needs) -> tuple[int, int]:
    found = cloud.client("ec2").describe_vpcs()["Vpcs"]
    return 1, sum(not _ours(each, needs) for each in found)


def addresses(cloud: Cloud, needs: Needs) -> tuple[int, int]:
    ec2 = cloud.client("ec2")
    found = ec2.describe_addresses()["Addresses"]
    ours = {each["AllocationId"] for each in found if _ours(each, needs)} | set(_of_nat(ec2, needs))
    return needs.elastic_addresses, sum(each.get("AllocationId") not in ours for each in found)


def _of_nat(ec2: Any, needs: Needs) -> Iterator[str]:
    """Yield the addresses of our NAT gateways, which have no tags of their own."""
    for gateway in ec2.describe_nat_gateways()["NatGateways"]:
        if _ours(gateway, needs):
            yield from (each["AllocationId"] for each in gateway["NatGatewayAddresses"])


def _ours(resource: dict[str, Any], needs: Needs) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}
    return needs.tags.items() <= tags.items()


QUOTAS = (
    # Of running on-demand standard instances (A, C, D, H, I, M, R, T, Z).
    Quota("vCPUs", "ec2", "L-1216C47A", vcpus),
    Quota("VPCs", "vpc", "L-F678F1CE", vpcs),
    Quota("Elastic IPs", "ec2", "L-0263D0A3", addresses),
)
