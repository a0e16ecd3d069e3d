"""The actions that provisioning calls; a test compares them with the calls that were recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

CHANGES: Mapping[str, str] = {
    "ec2": "AllocateAddress AssociateAddress AssociateRouteTable AttachInternetGateway "
    "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateInternetGateway "
    "CreateNatGateway CreateRoute CreateRouteTable CreateSecurityGroup CreateSubnet CreateTags "
    "CreateVpc ImportKeyPair ModifyInstanceAttribute ModifySubnetAttribute ModifyVpcAttribute "
    "RevokeSecurityGroupIngress RunInstances StartInstances TerminateInstances",
    "iam": "AddRoleToInstanceProfile CreateInstanceProfile CreateRole PassRole PutRolePolicy "
    "TagInstanceProfile TagRole",
    "s3": "CreateBucket PutBucketOwnershipControls PutBucketPublicAccessBlock PutBucketTagging "
    "PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration",
    "sns": "CreateTopic SetTopicAttributes Subscribe TagResource",
    "sqs": "CreateQueue SetQueueAttributes TagQueue",
    "ssm": "AddTagsToResource PutParameter",
    "dynamodb": "CreateTable TagResource",
    "logs": "CreateLogGroup PutRetentionPolicy TagResource",
    "cloudwatch": "PutDashboard PutMetricAlarm",
    "ecr": "CreateRepository PutImageScanningConfiguration PutLifecyclePolicy",
}
LOOKS: Mapping[str, str] = {
    "ec2": "DescribeAddresses DescribeAvailabilityZones DescribeImages DescribeInstances "
    "DescribeInstanceStatus DescribeInstanceTypeOfferings DescribeInternetGateways "
    "DescribeKeyPairs DescribeNatGateways "
    "DescribeRouteTables DescribeSecurityGroups DescribeSubnets DescribeVpcs",
    "iam": "GetInstanceProfile GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies",
    "s3": "GetBucketTagging GetBucketVersioning ListBucket",
    "dynamodb": "DescribeTable ListTagsOfResource",
    "logs": "DescribeLogGroups ListTagsLogGroup",
    "ssm": "DescribeParameters GetParameter",
    "cloudwatch": "DescribeAlarms GetDashboard",
    "ecr": "DescribeRepositories GetLifecyclePolicy GetRepositoryPolicy",
}


def _named(actions: Mapping[str, str]) -> Iterator[str]:
    for service, names in actions.items():
        for name in names.split():
            yield f"{service}:{name}"


PROVISIONING = (*_named(CHANGES), *_named(LOOKS))
# Actions on what exists. A policy may allow them on resources of this environment alone.
OF_EC2: Mapping[str, str] = {
    "instance": "ModifyInstanceAttribute StartInstances TerminateInstances",
    "internet-gateway": "AttachInternetGateway",
    "route-table": "AssociateRouteTable CreateRoute",
    "security-group": "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress "
    "RevokeSecurityGroupIngress",
    "subnet": "ModifySubnetAttribute",
    "vpc": "ModifyVpcAttribute",
}
WITHOUT_RESOURCE = ("ssm:DescribeParameters", "logs:DescribeLogGroups")


def kind(action: str) -> str:
    """Return the kind of resource that a policy may allow an action on, or "*".

    >>> kind("iam:PassRole"), kind("iam:TagInstanceProfile"), kind("ec2:CreateVpc")
    ('iam', 'instance-profile', '*')
    >>> kind("ec2:CreateRoute"), kind("ec2:CreateRouteTable")
    ('route-table', '*')
    """
    service, name = action.split(":")
    if "InstanceProfile" in name:
        return "instance-profile"
    if "Dashboard" in name:
        return "dashboard"
    if service == "ec2":
        return next((each for each, names in OF_EC2.items() if name in names.split()), "*")
    return "*" if action in WITHOUT_RESOURCE else service


def by_kind() -> dict[str, list[str]]:
    """Return the actions of provisioning by kind of resource."""
    return {each: [a for a in PROVISIONING if kind(a) == each] for each in map(kind, PROVISIONING)}
