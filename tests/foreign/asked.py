"""What IAM checks for a recorded call: actions, resources and condition keys.

Most actions are the name of their call; ``actions.py`` has the others. AWS asks for more than one
action where a call passes a role (PassRole) or tags what it makes (CreateTags):
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.foreign.actions import action
from tests.foreign.tap import EC2_ID, Call
from tests.support.iam_policy import Request, allowed
from tests.support.paths import ROOT

RESOURCES: dict[str, list[str]] = json.loads(
    (ROOT / "tests/unit/roles/data/iam_actions.json").read_text(encoding="utf-8")
)
KINDS = {
    "i": "instance",
    "igw": "internet-gateway",
    "rtb": "route-table",
    "sg": "security-group",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
    "nat": "natgateway",
    "eipalloc": "elastic-ip",
    "ami": "image",
    "eni": "network-interface",
    "snap": "snapshot",
}
#: The names of these resources contain no account.
WITHOUT_ACCOUNT = {"image", "snapshot"}
#: Anybody may call the first. The second asks about the caller, who is a role on AWS
#: (``test_bootstrap.py``) but not here.
FREE = {"sts:GetCallerIdentity", "iam:SimulatePrincipalPolicy"}
PASS = "iam:PassRole"


def refused(
    calls: Sequence[Call], statements: Sequence[Mapping[str, Any]], account: str
) -> set[str]:
    """Return the actions of these calls that a role with these statements may not do."""
    return {
        f"{each.action} on {each.resource} {dict(each.context)}"
        for call in calls
        for each in asked(call, account)
        if each.action not in FREE and not allowed(statements, each)
    }


def asked(call: Call, account: str) -> Iterator[Request]:
    """Yield each action and resource that AWS would check for a call."""
    place = "us-east-1" if call.service in ("iam", "route53") else call.region
    context = {"aws:RequestedRegion": place}
    resources = list(_resources(call, account)) or [("*", {})]
    for arn, keys in resources:
        yield Request(action(call), arn, {**context, **keys})
    yield from _passed(call, account)
    if call.service == "ec2" and any("TagSpecification" in name for name in call.parameters):
        yield Request("ec2:CreateTags", "*", {**context, "ec2:CreateAction": call.operation})


def _passed(call: Call, account: str) -> Iterator[Request]:
    """Yield the role that a call passes to EC2. Instance profiles have the name of their role."""
    name = ""
    if call.operation == "AddRoleToInstanceProfile":
        name = call.parameters["RoleName"]
    elif call.operation == "RunInstances":
        profile = call.parameters.get("IamInstanceProfile.Arn", "")
        name = profile.rpartition("/")[2] or call.parameters.get("IamInstanceProfile.Name", "")
    if name:
        role = f"arn:aws:iam::{account}:role/{name}"
        yield Request(PASS, role, {"iam:PassedToService": "ec2.amazonaws.com"})


def _resources(call: Call, account: str) -> Iterator[tuple[str, dict[str, str]]]:
    given, here = call.parameters, f"{call.region}:{account}"
    if call.service == "ec2":
        yield from _ec2(call, here)
    elif call.service == "iam" and "InstanceProfileName" in given:
        yield f"arn:aws:iam::{account}:instance-profile/{given['InstanceProfileName']}", {}
    elif call.service == "iam" and "RoleName" in given:
        yield f"arn:aws:iam::{account}:role/{given['RoleName']}", {}
    elif call.service == "s3" and given["path"].strip("/"):
        yield f"arn:aws:s3:::{given['path'].strip('/')}", {}
    elif call.service == "dynamodb":
        table = given.get("TableName") or given.get("ResourceArn", "").rpartition("/")[2]
        yield f"arn:aws:dynamodb:{here}:table/{table}", {}
    elif call.service == "ssm" and call.operation != "DescribeParameters":
        name = given.get("Name") or given.get("ResourceId") or given.get("Names.1", "")
        yield f"arn:aws:ssm:{here}:parameter{name}", {}
    elif call.service == "monitoring":
        yield from _cloudwatch(given, here, account)
    else:
        yield from _named(call, here)


def _named(call: Call, here: str) -> Iterator[tuple[str, dict[str, str]]]:
    given = call.parameters
    if call.service == "sns" and (given.get("TopicArn") or given.get("ResourceArn")):
        yield given.get("TopicArn") or given["ResourceArn"], {}
    elif call.service == "sns" and "Name" in given:
        yield f"arn:aws:sns:{here}:{given['Name']}", {}
    elif call.service == "sqs" and (given.get("QueueName") or given.get("QueueUrl")):
        queue = given.get("QueueName") or given["QueueUrl"].rpartition("/")[2]
        yield f"arn:aws:sqs:{here}:{queue}", {}
    elif call.service == "ecr":
        name = given.get("repositoryName") or given["repositoryNames.1"]
        yield f"arn:aws:ecr:{here}:repository/{name}", {}
    elif call.service == "logs" and "logGroupName" in given:
        stream = f":log-stream:{given['logStreamName']}" if "logStreamName" in given else ""
        yield f"arn:aws:logs:{here}:log-group:{given['logGroupName']}{stream}", {}
    elif call.service == "route53" and "/hostedzone/" in given["path"]:
        yield "arn:aws:route53:::hostedzone/Z1", {}


def _cloudwatch(
    given: Mapping[str, str], here: str, account: str
) -> Iterator[tuple[str, dict[str, str]]]:
    if "DashboardName" in given:
        yield f"arn:aws:cloudwatch::{account}:dashboard/{given['DashboardName']}", {}
    elif "Namespace" in given and "AlarmName" not in given:
        yield "*", {"cloudwatch:namespace": given["Namespace"]}
    else:
        for name in (value for key, value in given.items() if key.startswith("AlarmName")):
            yield f"arn:aws:cloudwatch:{here}:alarm:{name}", {}


def _ec2(call: Call, here: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each EC2 resource that IAM checks for a call, with its tags at that time."""
    checked = " ".join(RESOURCES.get(action(call), []))
    for each, tags in call.tags.items():
        kind = KINDS.get(each.partition("-")[0])
        if kind and EC2_ID.fullmatch(each) and f":{kind}/" in checked:
            keys = {f"aws:ResourceTag/{name}": value for name, value in tags.items()}
            place = f"{call.region}:" if kind in WITHOUT_ACCOUNT else here
            yield f"arn:aws:ec2:{place}:{kind}/{each}", keys
