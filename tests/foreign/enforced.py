"""moto with its IAM switched on, and sessions of roles in it.

docs/security.md lists what moto checks. It uses the resource * for every service but S3, the name
of a call as its action, and the prefix ``monitoring`` for CloudWatch. So a role gets a second
policy, which allows the actions of its first one in this form. ``asked.py`` evaluates their
resources and conditions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import boto3

from tests.foreign.account import ACCOUNT, FOR_MOTO, Account
from tests.foreign.actions import ACTIONS
from tests.foreign.gaps import Statements
from tests.support.iam_policy import listed

REGION, ADMINISTRATOR = "eu-central-1", "administrator"
OFF = "inf"
"""The number of calls that moto lets pass unchecked."""


def in_the_form_of_moto(statements: Statements) -> list[dict[str, Any]]:
    """Return the allowed actions in moto's form: on every resource, except in S3.

    >>> in_the_form_of_moto([{"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "x"}])
    [{'Effect': 'Allow', 'Action': ['ec2:RunInstances'], 'Resource': '*'}]
    """
    found: list[dict[str, Any]] = []
    for each in statements:
        if each["Effect"] == "Allow":
            named = listed(each["Action"])
            calls = [call for call, action in ACTIONS.items() if action in named]
            moto = [a.replace("cloudwatch:", "monitoring:") for a in named if "cloudwatch:" in a]
            only_s3 = all(action.startswith("s3:") for action in named)
            resource = each["Resource"] if only_s3 else "*"
            actions = [*named, *calls, *moto]
            found.append({"Effect": "Allow", "Action": actions, "Resource": resource})
    return found


def document(statements: Statements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def switch(account: Account, unchecked: str) -> None:
    """Let moto check every call after a number of calls."""
    connection = HTTPConnection(*account.tap.upstream, timeout=60)
    connection.request("POST", "/moto-api/reset-auth", unchecked)
    assert connection.getresponse().status == 200
    connection.close()


def enforce(account: Account) -> None:
    """Create an administrator, whose keys the tests use, and switch on moto's IAM."""
    iam = account.client("iam", REGION)
    iam.create_user(UserName=ADMINISTRATOR)
    everything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    iam.put_user_policy(
        UserName=ADMINISTRATOR, PolicyName="everything", PolicyDocument=document(everything)
    )
    made = iam.create_access_key(UserName=ADMINISTRATOR)["AccessKey"]
    account.tap.keys = {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
    }
    switch(account, "0")


@contextmanager
def unchecked(account: Account) -> Iterator[None]:
    switch(account, OFF)
    try:
        yield
    finally:
        switch(account, "0")


def permit(account: Account, role: str, statements: Statements) -> None:
    """Let moto allow a role the actions of these statements."""
    account.client("iam", REGION).put_role_policy(
        RoleName=role,
        PolicyName=FOR_MOTO,
        PolicyDocument=document(in_the_form_of_moto(statements)),
    )


def session(account: Account, role: str) -> dict[str, str]:
    """Return the variables of a shell with the credentials of a role.

    Workflows and hosts get them from OIDC and EC2, which moto does not emulate.
    """
    with unchecked(account):
        given = account.client("sts", REGION).assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="test"
        )["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def client(account: Account, role: str, service: str) -> Any:
    """Return a client of a role, whose calls the tap records."""
    keys = {name.lower(): value for name, value in session(account, role).items()}
    return boto3.client(service, region_name=REGION, endpoint_url=account.tap.url, **keys)
