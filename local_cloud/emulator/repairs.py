"""Corrections of moto where it differs from AWS and an Ansible module fails."""

import ipaddress
import uuid
from collections.abc import Callable
from typing import Any

from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.dynamodb.models.table import Table
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.subnets import Subnet
from moto.logs.models import LogStream

from local_cloud.emulator.patch import patch

KEPT_BY_AWS = 4  # AWS reserves the first addresses of a subnet and the last one
MOST_LOGS = 1_000
"""Number of entries that a log stream keeps: they are in memory, and in every snapshot."""
TABLES = uuid.UUID("2f1f4d0e-2c35-4d3a-9d46-6f1f7a9c7b57")


def install() -> None:
    """Patch moto once per process."""
    patch(Table, describe=with_table_id(Table.describe))
    patch(
        Subnet,
        request_ip=with_aws_errors(Subnet.request_ip),
        get_available_subnet_ip=next_address,
    )
    patch(LogStream, put_log_events=bounded(LogStream.put_log_events))
    patch(AutoScalingResponse, disable_metrics_collection=disable_metrics_collection)


def with_table_id(describe: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Add the table id that community.aws.dynamodb_table reads."""

    def method(self: Any, base_key: str = "TableDescription") -> dict[str, Any]:
        answer = describe(self, base_key)
        stamp = f"{self.table_arn} {self.created_at}"
        answer[base_key]["TableId"] = str(uuid.uuid5(TABLES, stamp))
        return answer

    return method


def bounded(put: Callable[..., str]) -> Callable[..., str]:
    """Keep only the newest entries of a log stream; moto keeps all of them."""

    def method(self: Any, log_events: list[dict[str, Any]]) -> str:
        token = put(self, log_events)
        self.events = self.events[-MOST_LOGS:]
        return token

    return method


def next_address(self: Any, instance: Any) -> str:
    """Return the next free address after the last one returned.

    moto uses a generator, which does not survive a restart. If an address is reused at once for
    another host, SSH clients that know the first host reject the second.
    """
    first = int(self.cidr.network_address) + KEPT_BY_AWS
    count = self.cidr.num_addresses - KEPT_BY_AWS - 1
    begin = getattr(self, "next_offset", 0)
    for offset in (place % count for place in range(begin, begin + count)):
        address = str(ipaddress.IPv4Address(first + offset))
        if address not in self._subnet_ips:
            self.next_offset = offset + 1
            self._subnet_ips[address] = instance
            return address
    message = f"There are not enough free addresses in subnet '{self.id}'."
    raise EC2ClientError("InsufficientFreeAddressesInSubnet", message)


def with_aws_errors(request: Callable[[Any, str, Any], None]) -> Callable[[Any, str, Any], None]:
    """Reject an invalid address like AWS; moto returns an internal error."""

    def method(self: Any, ip: str, instance: Any) -> None:
        holder = self._subnet_ips.get(ip)
        if holder is not None and getattr(holder, "state", "") == "terminated":
            self.del_subnet_ip(ip)
        try:
            request(self, ip, instance)
        except Exception as error:
            raise address_refusal(ip, str(error)) from None

    return method


def address_refusal(ip: str, reason: str) -> EC2ClientError:
    if "in use" in reason:
        return EC2ClientError("InvalidIPAddress.InUse", f"Address {ip} is in use.")
    message = "Address does not fall within the subnet's address range"
    return EC2ClientError("InvalidParameterValue", message)


def disable_metrics_collection(self: Any) -> ActionResult:
    """Implement DisableMetricsCollection, which moto lacks."""
    backend: AutoScalingBackend = self.autoscaling_backend
    group = backend.describe_auto_scaling_groups([self._get_param("AutoScalingGroupName")])[0]
    unwanted = self._get_param("Metrics", []) or group.metrics
    group.metrics = [metric for metric in group.metrics if metric not in unwanted]
    return EmptyResult()
