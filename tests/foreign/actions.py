"""The IAM action of a recorded call. These calls have an action with another name."""

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
    "s3:GetBucket?accelerate": "s3:GetAccelerateConfiguration",
    "s3:GetBucket?acl": "s3:GetBucketAcl",
    "s3:GetBucket?encryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucket?inventory": "s3:GetInventoryConfiguration",
    "s3:GetBucket?lifecycle": "s3:GetLifecycleConfiguration",
    "s3:GetBucket?location": "s3:GetBucketLocation",
    "s3:GetBucket?object-lock": "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucket?ownershipControls": "s3:GetBucketOwnershipControls",
    "s3:GetBucket?policy": "s3:GetBucketPolicy",
    "s3:GetBucket?publicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:GetBucket?requestPayment": "s3:GetBucketRequestPayment",
    "s3:GetBucket?tagging": "s3:GetBucketTagging",
    "s3:GetBucket?versioning": "s3:GetBucketVersioning",
    "s3:GetBucket": "s3:ListBucket",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "dynamodb:TransactWriteItems": "dynamodb:PutItem",
}


def action(call: Call) -> str:
    """Return the action that a policy has to allow for a call."""
    if str(call) == "s3:GetBucket" and not call.parameters.get("path", "").strip("/"):
        return "s3:ListAllMyBuckets"
    known = ACTIONS.get(str(call))
    return known or f"{SERVICES.get(call.service, call.service)}:{call.operation}"
