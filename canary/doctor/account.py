"""Checks of the account: whose it is, what it allows, and what it offers."""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime
from typing import Any

from canary.doctor.cloud import Cloud
from canary.doctor.finding import Finding, ok, problem, unknown
from canary.doctor.needs import Needs
from canary.doctor.rights import PROVISIONING

SKEW_SECONDS = 30.0
"""AWS refuses requests at five minutes; a canary compares periods of ten seconds."""
VCPUS_OF_STANDARD = "L-1216C47A"
"""The quota of vCPUs of running on-demand standard instances (A, C, D, H, I, M, R, T, Z)."""
LONGEST = 200
"""Characters of an error that are shown."""
RUNNING = {"Name": "instance-state-name", "Values": ["pending", "running"]}


def credentials(cloud: Cloud, needs: Needs) -> Finding:
    caller = cloud.client("sts").get_caller_identity()
    who = f"{caller['Arn']} in account {caller['Account']}"
    if needs.account and caller["Account"] != needs.account:
        return problem(
            "credentials",
            f"You are {who}, but the environment belongs to account {needs.account}",
            f"export AWS_PROFILE=the-profile-of-{needs.account}",
        )
    return ok("credentials", f"You are {who}, region {needs.region}")


def clock(cloud: Cloud, needs: Needs) -> Finding:  # noqa: ARG001 - every check is called alike
    answer = cloud.client("sts").get_caller_identity()
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    skew = cloud.now() - theirs.timestamp()
    if abs(skew) > SKEW_SECONDS:
        way = "ahead" if skew > 0 else "behind"
        return problem(
            "clock",
            f"This machine's clock is {abs(skew):.0f} s {way} of AWS; at most {SKEW_SECONDS:.0f} s "
            "are allowed",
            "sudo timedatectl set-ntp true",
        )
    return ok("clock", f"This machine's clock differs by less than {abs(skew) + 1:.0f} s")


def rights(cloud: Cloud, needs: Needs) -> Finding:  # noqa: ARG001
    principal = _principal(cloud.client("sts").get_caller_identity()["Arn"])
    if principal.endswith(":root"):
        return ok("rights", "You are the root user, who may do everything; use a role instead")
    pages = (
        cloud.client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(PolicySourceArn=principal, ActionNames=list(PROVISIONING))
    )
    decisions = [result for page in pages for result in page["EvaluationResults"]]
    missing = sorted(each["EvalActionName"] for each in decisions if not _allowed(each))
    if missing:
        return problem(
            "rights",
            f"{principal} may not: {', '.join(missing)}",
            "Add them to the role's policy, or use another role: export AWS_PROFILE=...",
        )
    return ok("rights", f"All {len(PROVISIONING)} actions of provisioning are allowed")


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
    for kind in types:
        zones &= _offered(cloud, kind)
    if not zones:
        return problem(
            "zones",
            f"No zone of {needs.region} offers {' and '.join(types)}",
            "Set instances_type in inventory/shared/instances.yml to a type that one offers",
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


def quota(cloud: Cloud, needs: Needs) -> Finding:
    ec2 = cloud.client("ec2")
    pages = ec2.get_paginator("describe_instances").paginate(Filters=[RUNNING])
    running = [
        each for page in pages for group in page["Reservations"] for each in group["Instances"]
    ]
    kinds = {*needs.instances, *(each["InstanceType"] for each in running)}
    described = ec2.describe_instance_types(InstanceTypes=sorted(kinds))["InstanceTypes"]
    vcpus = {each["InstanceType"]: each["VCpuInfo"]["DefaultVCpus"] for each in described}
    others = sum(vcpus[each["InstanceType"]] for each in running if not _ours(each, needs))
    wanted = sum(vcpus[kind] * count for kind, count in needs.instances.items())
    allowed = _quota(cloud)
    sentence = f"{wanted} vCPUs are needed, {others} are in use by others, {allowed} allowed"
    if wanted + others > allowed:
        return problem(
            "quota",
            sentence,
            "aws service-quotas request-service-quota-increase --service-code ec2 --quota-code "
            f"{VCPUS_OF_STANDARD} --desired-value {wanted + others} --region {needs.region}",
        )
    return ok("quota", sentence)


def _quota(cloud: Cloud) -> int:
    quotas = cloud.client("service-quotas")
    found = quotas.get_service_quota(ServiceCode="ec2", QuotaCode=VCPUS_OF_STANDARD)
    return math.floor(float(found["Quota"]["Value"]))


def _ours(instance: dict[str, Any], needs: Needs) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    return needs.tags.items() <= tags.items()


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
