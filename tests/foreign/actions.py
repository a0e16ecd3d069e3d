"""The IAM action of a recorded call. Most are its own name; these are not."""

from __future__ import annotations

from tests.foreign.tap import Call

SERVICES = {"monitoring": "cloudwatch"}
ACTIONS = {
    "s3:PutBucket": "s3:CreateBucket",
    "s3:PutBucket?versioning": "s3:PutBucketVersioning",
    "s3:PutBucket?encryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucket?lifecycle": "s3:PutLifecycleConfiguration",
    "s3:PutBucket?ownershipControls": "s3:PutBucketOwnershipControls",
    "s3:PutBucket?publicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:PutBucket?tagging": "s3:PutBucketTagging",
}


def action(call: Call) -> str:
    """Return the action that a policy has to allow for a call that writes."""
    known = ACTIONS.get(str(call))
    return known or f"{SERVICES.get(call.service, call.service)}:{call.operation}"
