"""The evaluator of policies that other tests rely on, with cases of IAM's documentation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.iam_policy import Request, allowed

OWN = "arn:aws:s3:::own/*"
ALLOW = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:List*"], "Resource": OWN}
DENY = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::own/secret-?"}
HERE = {
    "Effect": "Allow",
    "Action": "ec2:RunInstances",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}},
}
NOT = {"Effect": "Allow", "Resource": "*"}
LIKE = {**HERE, "Condition": {"StringLike": {"aws:ResourceTag/Project": "sh?p*"}}}


@pytest.mark.parametrize(
    ("statements", "request_", "expected"),
    [
        ([], Request("s3:GetObject", "arn:aws:s3:::own/a"), False),
        ([ALLOW], Request("s3:GetObject", "arn:aws:s3:::own/a/b"), True),
        ([ALLOW], Request("S3:getobject", "arn:aws:s3:::own/a"), True),
        ([ALLOW], Request("s3:GetObject", "arn:aws:s3:::others/a"), False),
        ([ALLOW], Request("s3:GetObject", "arn:aws:s3:::OWN/a"), False),
        ([ALLOW], Request("s3:PutObject", "arn:aws:s3:::own/a"), False),
        ([ALLOW, DENY], Request("s3:GetObject", "arn:aws:s3:::own/secret-1"), False),
        ([ALLOW, DENY], Request("s3:GetObject", "arn:aws:s3:::own/secret-12"), True),
        ([DENY], Request("s3:GetObject", "arn:aws:s3:::own/other"), False),
        ([HERE], Request("ec2:RunInstances", "*", {"aws:requestedregion": "eu-west-1"}), True),
        ([HERE], Request("ec2:RunInstances", "*", {"aws:RequestedRegion": "us-east-1"}), False),
        ([HERE], Request("ec2:RunInstances", "*"), False),
        ([{**NOT, "NotAction": "iam:*"}], Request("s3:GetObject"), True),
        ([{**NOT, "NotAction": "iam:*"}], Request("iam:CreateUser"), False),
        ([LIKE], Request("ec2:RunInstances", "*", {"aws:ResourceTag/Project": "shop-1"}), True),
        ([LIKE], Request("ec2:RunInstances", "*", {"aws:ResourceTag/Project": "other"}), False),
        (
            [{**ALLOW, "Resource": "arn:aws:s3:::a.b"}],
            Request("s3:ListX", "arn:aws:s3:::axb"),
            False,
        ),
    ],
)
def test_a_request_is_decided_as_iam_does(
    statements: list[dict[str, Any]], request_: Request, *, expected: bool
) -> None:
    assert allowed(statements, request_) == expected


@pytest.mark.parametrize(
    "statement",
    [
        {**ALLOW, "NotResource": "*"},
        {**HERE, "Condition": {"NumericEquals": {"s3:max-keys": "1"}}},
    ],
)
def test_what_it_does_not_know_is_an_error_and_not_ignored(statement: dict[str, Any]) -> None:
    request = Request("ec2:RunInstances", OWN.replace("*", "a"))
    with pytest.raises(NotImplementedError):
        allowed([{**statement, "Action": "*", "Resource": "*"}], request)
