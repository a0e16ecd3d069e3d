"""What plain moto lacks and AWS has, in one place. Each gap names the proof that AWS differs.

| gap of moto | what AWS does | proof |
| --- | --- | --- |
| no ``TableId`` of a DynamoDB table | returns one | botocore's model; ``test_gaps.py`` reads it |
| ``DescribeTags`` by type finds no tags of a NAT gateway and an address | finds them | as above |
| no ``SnapshotId`` of a volume that was made of none | an empty one | AWS's example of the call |
| no images of Debian | Debian publishes them | https://wiki.debian.org/Cloud/AmazonEC2Image |
"""

from __future__ import annotations

import json
import re
import uuid

TABLES = uuid.UUID("6f0a4f5e-3d3b-4f0c-9a53-0d2f5d1c9b12")
# So the modules tag them again in every run: these lines of a second run are moto's.
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
"""The newer image has the lower id, so that only its date tells it apart."""


# A volume's own id; that of an attachment is followed by something else.
VOLUME = re.compile(rb"(</volumeId>\s*)(<size>)")


def repair(call: str, answer: bytes) -> bytes:
    """Return the answer as AWS would give it."""
    if call == "ec2:DescribeVolumes" and b"<snapshotId" not in answer:
        return VOLUME.sub(rb"\1<snapshotId/>\2", answer)
    if (key := TABLE_KEYS.get(call)) is None:
        return answer
    document = json.loads(answer)
    if key not in document:
        return answer
    document[key]["TableId"] = str(uuid.uuid5(TABLES, document[key]["TableArn"]))
    return json.dumps(document).encode()
