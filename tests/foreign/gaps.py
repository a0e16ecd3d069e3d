"""The features of AWS that plain moto lacks, in one place, each with a proof.

| gap of moto | what AWS does | proof |
| --- | --- | --- |
| no ``TableId`` of a DynamoDB table | returns one | botocore's model; ``test_gaps.py`` reads it |
| ``DescribeTags`` by type finds no tags of a NAT gateway and an address | finds them | as above |
| no ``SnapshotId`` of a volume that was made of none | an empty one | AWS's example of the call |
| no images of Debian | Debian publishes them | https://wiki.debian.org/Cloud/AmazonEC2Image |
| no ``SimulatePrincipalPolicy`` | decides by the policies of a role | botocore's model |
| no quotas of EC2 (it has those of VPC) | an account has them | botocore's model |
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from tests.foreign.tap import Call
from tests.support.iam_policy import Request, allowed

TABLES = uuid.UUID("6f0a4f5e-3d3b-4f0c-9a53-0d2f5d1c9b12")
# So the modules tag them again in every run: only moto causes these changes in a second run.
RETAGGED = {
    "cart.canary.network : routes | Create the NAT gateway": "natgateway",
    "cart.canary.instances : address | Give each its own public address": "elastic-ip",
}
TABLE_KEYS = {"dynamodb:CreateTable": "TableDescription", "dynamodb:DescribeTable": "Table"}
DEBIAN = "136693071363"
IMAGES = [
    {
        "ami_id": f"ami-{number:08x}",
        "name": f"debian-12-amd64-{date}-{number}",
        "owner_id": DEBIAN,
        "public": True,
        "architecture": "x86_64",
        "virtualization_type": "hvm",
        "root_device_type": "ebs",
        "root_device_name": "/dev/xvda",
        "creation_date": f"{date[:4]}-{date[4:6]}-{date[6:]}T00:00:00.000Z",
    }
    for number, date in ((2, "20260901"), (1, "20261101"))
]
"""The newer image has the lower id, so that only its date shows that it is newer."""


# The id of a volume, without the id of its attachment, which has another element after it.
VOLUME = re.compile(rb"(</volumeId>\s*)(<size>)")


Statements = Sequence[Mapping[str, Any]]
BAD_REQUEST, REFUSED = 400, (401, 403)
SIMULATION = (
    '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
    "<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>{}"
    "</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
)
DECISION = "<EvalActionName>{}</EvalActionName><EvalDecision>{}</EvalDecision>"


@dataclass
class Gaps:
    """Changes moto's responses to those of AWS."""

    statements: Callable[[str], Statements | None]
    """Returns the policies of a principal, if it is a role of the account."""
    quotas: dict[str, float] = field(default_factory=dict)
    """The account's quotas of EC2 by code. Without any, moto's error is kept."""

    def repair(self, call: Call, answer: bytes) -> tuple[int, bytes]:
        """Return the status and the body as AWS would."""
        if call.status not in REFUSED and (missing := self._missing(call)):
            return 200, missing
        done = call.status < BAD_REQUEST
        return call.status, repaired(str(call), answer) if done else answer

    def _missing(self, call: Call) -> bytes:
        """Return the response to a call that moto does not support."""
        if str(call) == "servicequotas:GetServiceQuota":
            quota = self.quotas.get(call.parameters["QuotaCode"])
            return json.dumps({"Quota": {"Value": quota}}).encode() if quota else b""
        if str(call) == "iam:SimulatePrincipalPolicy":
            found = self.statements(call.parameters["PolicySourceArn"])
            return b"" if found is None else simulation(call.parameters, found)
        return b""


def simulation(asked: Mapping[str, str], statements: Statements) -> bytes:
    """Return IAM's response to ``SimulatePrincipalPolicy``: a decision for each action."""
    context = {
        value: asked[key.replace("ContextKeyName", "ContextKeyValues.member.1")]
        for key, value in asked.items()
        if key.endswith("ContextKeyName")
    }
    decisions = ""
    for key, name in asked.items():
        if key.startswith("ActionNames."):
            request = Request(name, asked["ResourceArns.member.1"], context)
            decided = "allowed" if allowed(statements, request) else "implicitDeny"
            decisions += f"<member>{DECISION.format(escape(name), decided)}</member>"
    return SIMULATION.format(decisions).encode()


def repaired(call: str, answer: bytes) -> bytes:
    """Return a response with the elements that moto omits."""
    if call == "ec2:DescribeVolumes" and b"<snapshotId" not in answer:
        return VOLUME.sub(rb"\1<snapshotId/>\2", answer)
    if (key := TABLE_KEYS.get(call)) is None:
        return answer
    document = json.loads(answer)
    if key not in document:
        return answer
    document[key]["TableId"] = str(uuid.uuid5(TABLES, document[key]["TableArn"]))
    return json.dumps(document).encode()
