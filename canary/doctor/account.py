"""Checks of the account: whose it is, what it allows, and what it offers."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import (
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)

from canary.doctor.cloud import Cloud
from canary.doctor.finding import Finding, ok, problem, unknown
from canary.doctor.needs import Needs
from canary.doctor.rights import PROVISIONING, by_kind

SKEW_SECONDS = 30.0
"""AWS refuses requests at five minutes; a canary compares periods of ten seconds."""
NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, ProfileNotFound, SSOError)
REFUSED = {"AuthFailure", "ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException"}
LONGEST = 200
"""Characters of an error that are shown."""


def credentials(cloud: Cloud, needs: Needs) -> Finding:
    try:
        caller = cloud.client("sts").get_caller_identity()
    except NO_CREDENTIALS as error:
        return _no_credentials(needs, shortened(str(error)))
    except ClientError as error:
        if error.response["Error"]["Code"] not in REFUSED:
            raise
        return _no_credentials(needs, error.response["Error"]["Message"])
    who = f"{caller['Arn']} in account {caller['Account']}"
    if needs.account and caller["Account"] != needs.account:
        return problem(
            "credentials",
            f"You are {who}, but the environment belongs to account {needs.account}",
            f"export AWS_PROFILE=the-profile-of-{needs.account}",
            blocking=True,
        )
    return ok("credentials", f"You are {who}, region {needs.region}")


def _no_credentials(needs: Needs, reason: str) -> Finding:
    return problem(
        "credentials",
        f"AWS does not know who you are: {reason}",
        f"aws configure, or: aws sso login --profile the-profile-of-{needs.account}",
        blocking=True,
    )


def clock(cloud: Cloud, needs: Needs) -> Finding:  # noqa: ARG001 - every check is called alike
    theirs = parsedate_to_datetime(_headers(cloud)["date"])
    skew = cloud.now() - theirs.timestamp()
    if abs(skew) > SKEW_SECONDS:
        way = "ahead" if skew > 0 else "behind"
        return problem(
            "clock",
            f"This machine's clock is {abs(skew):.0f} s {way} of AWS; at most {SKEW_SECONDS:.0f} s "
            "are allowed",
            "sudo timedatectl set-ntp true",
            blocking=True,
        )
    return ok("clock", f"This machine's clock differs by less than {abs(skew) + 1:.0f} s")


def _headers(cloud: Cloud) -> dict[str, str]:
    """Return the headers of an answer. AWS refuses a clock that is five minutes wrong."""
    try:
        answer = cloud.client("sts").get_caller_identity()
    except ClientError as error:
        answer = dict(error.response)
    return dict(answer["ResponseMetadata"]["HTTPHeaders"])


def rights(cloud: Cloud, needs: Needs) -> Finding:
    principal = _principal(cloud.client("sts").get_caller_identity()["Arn"])
    if principal.endswith(":root"):
        return ok("rights", "You are the root user, who may do everything; use a role instead")
    denied = [each for each in _decisions(cloud, needs, principal) if not _allowed(each)]
    missing = sorted(
        each["EvalActionName"] for each in denied if not each.get("MissingContextValues")
    )
    if missing:
        return problem(
            "rights",
            f"{principal} may not: {', '.join(missing)}",
            "Add them to the role's policy, or use another role: export AWS_PROFILE=...",
            blocking=True,
        )
    if denied:
        names = sorted(each["EvalActionName"] for each in denied)
        return unknown("rights", f"Depends on conditions that are unknown here: {', '.join(names)}")
    return ok("rights", f"All {len(PROVISIONING)} actions of provisioning are allowed")


def _decisions(cloud: Cloud, needs: Needs, principal: str) -> Iterator[dict[str, Any]]:
    """Simulate each action on a resource of this environment: policies often allow no others."""
    pages = cloud.client("iam").get_paginator("simulate_principal_policy")
    known = {
        "aws:RequestedRegion": needs.region,
        "iam:PassedToService": "ec2.amazonaws.com",
        **{f"aws:ResourceTag/{key}": value for key, value in needs.tags.items()},
        **{f"aws:RequestTag/{key}": value for key, value in needs.tags.items()},
    }
    for kind, actions in by_kind().items():
        asked = pages.paginate(
            PolicySourceArn=principal,
            ActionNames=actions,
            ResourceArns=[needs.resources.get(kind, "*")],
            ContextEntries=[
                {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
                for key, value in known.items()
            ],
        )
        for page in asked:
            yield from page["EvaluationResults"]


def _allowed(result: dict[str, Any]) -> bool:
    return bool(result["EvalDecision"] == "allowed")


def _principal(arn: str) -> str:
    """Return the role of an assumed role's session, whose policies can be simulated.

    >>> _principal("arn:aws:sts::123456789012:assumed-role/apply/github-1")
    'arn:aws:iam::123456789012:role/apply'
    """
    if ":assumed-role/" not in arn:
        return arn
    account, name = arn.split(":")[4], arn.split("/")[1]
    return f"{arn.split(':sts:')[0]}:iam::{account}:role/{name}"


def offering(cloud: Cloud, needs: Needs) -> Finding:
    types, zones = sorted(needs.instances), _zones(cloud)
    if absent := sorted(set(needs.zones) - zones):
        return problem(
            "zones",
            f"There is no zone {' and '.join(absent)} in {needs.region}, only "
            f"{', '.join(sorted(zones))}",
            "Name one of them, or none, in network_subnets of group_vars/all/network.yml",
            blocking=True,
        )
    for kind in types:
        zones &= _offered(cloud, kind)
    if not zones or set(needs.zones) - zones:
        named = f"Zone {', '.join(needs.zones)} does not offer"
        where = named if zones else f"No zone of {needs.region} offers"
        return problem(
            "zones",
            f"{where} {' and '.join(types)}",
            "Set instances_type in inventory/shared/instances.yml to a type that one offers",
            blocking=True,
        )
    return ok("zones", f"{', '.join(types)}: offered in {', '.join(sorted(zones))}")


def _zones(cloud: Cloud) -> set[str]:
    found = cloud.client("ec2").describe_availability_zones()["AvailabilityZones"]
    return {str(zone["ZoneName"]) for zone in found if zone["State"] == "available"}


def _offered(cloud: Cloud, kind: str) -> set[str]:
    pages = (
        cloud.client("ec2")
        .get_paginator("describe_instance_type_offerings")
        .paginate(
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": [kind]}],
        )
    )
    return {str(each["Location"]) for page in pages for each in page["InstanceTypeOfferings"]}


def image(cloud: Cloud, needs: Needs) -> Finding:
    found = cloud.client("ec2").describe_images(
        Owners=[needs.image.owner], Filters=[{"Name": "name", "Values": [needs.image.name]}]
    )["Images"]
    if not found:
        return problem(
            "image",
            f"No machine image of account {needs.image.owner} is called {needs.image.name} in "
            f"{needs.region}",
            "Set instances_image in inventory/shared/instances.yml; `aws ec2 describe-images` "
            "lists them",
            blocking=True,
        )
    newest = max(found, key=lambda each: str(each["CreationDate"]))
    return ok("image", f"{newest['Name']} of {newest['CreationDate'][:10]}, {newest['ImageId']}")


def unsure(check: str, error: Exception) -> Finding:
    """Return the finding for a question that the account did not answer."""
    return unknown(check, f"Could not be checked: {shortened(str(error))}")


def shortened(text: str) -> str:
    """Return the first line of an error; some contain a whole page."""
    line = text.partition("\n")[0]
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."
