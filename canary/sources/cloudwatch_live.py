"""The instances of a colour that exist now: those that the policy names, or that EC2 lists."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from canary.environment import CloudWatchSource
from canary.errors import SourceError

LIVE_STATES = ["pending", "running"]


def live(compute: Any, settings: CloudWatchSource, environment: str, colour: str) -> list[str]:
    """Return the instances of ``colour``, in the order of the proxy's servers."""
    if settings.instances is not None:
        return list(settings.instances.get(colour, ()))
    tags = {**settings.tags, settings.colour_tag: colour, "Environment": environment}
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]
    filters.append({"Name": "instance-state-name", "Values": LIVE_STATES})
    try:
        pages = compute.get_paginator("describe_instances").paginate(Filters=filters)
        found = [
            (_name(instance), str(instance["InstanceId"]))
            for page in pages
            for reservation in page["Reservations"]
            for instance in reservation["Instances"]
        ]
    except (BotoCoreError, ClientError) as error:
        raise SourceError(f"EC2 did not list the {colour} instances: {error}") from error
    return [identifier for _, identifier in sorted(found, key=_natural)]


def _name(instance: dict[str, Any]) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    return str(tags.get("Name", instance["InstanceId"]))


def _natural(named: tuple[str, str]) -> tuple[int, str, str]:
    """Return a sort key that puts app-2 before app-10."""
    name, identifier = named
    return len(name), name, identifier
