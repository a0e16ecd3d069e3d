"""AWS services that moto implements too little for ``canary doctor``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from tests.support.iam_policy import Request, allowed

REGION = "eu-central-1"
ACCOUNT = "123456789012"  # moto's default account
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:shop-aws-events"
MAIL = "ops@example.org"


class Pages:
    """The pages of one answer."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self._pages = pages

    def paginate(self, **_: object) -> tuple[dict[str, Any], ...]:
        return self._pages


class Iam:
    """IAM with ``SimulatePrincipalPolicy``, which moto lacks."""

    def __init__(self) -> None:
        self.statements: list[dict[str, Any]] = [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}
        ]
        self.denied: set[str] = set()
        self.missing: list[str] = []

    def get_paginator(self, name: str) -> Iam:
        assert name == "simulate_principal_policy"
        return self

    def paginate(
        self,
        ActionNames: list[str],  # noqa: N803
        ResourceArns: list[str],  # noqa: N803
        ContextEntries: list[dict[str, Any]],  # noqa: N803
        **_: str,
    ) -> Iterator[dict[str, Any]]:
        known = {each["ContextKeyName"]: each["ContextKeyValues"][0] for each in ContextEntries}
        for action in ActionNames:  # a page each
            decision = self.decision(action, ResourceArns[0], known)
            result = {"EvalActionName": action, "EvalDecision": decision}
            yield {"EvaluationResults": [{**result, "MissingContextValues": self.missing}]}

    def decision(self, action: str, arn: str, known: dict[str, str]) -> str:
        admitted = allowed(self.statements, Request(action, arn, known))
        return "allowed" if admitted and action not in self.denied else "implicitDeny"


class Silent:
    """A service that refuses every question."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_: object, **__: object) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, name)

        return refuse


class Quotas:
    """The quotas of EC2, which moto lacks, as in a new account, where none was ever changed."""

    def __init__(self) -> None:
        self.values = {"L-1216C47A": 32.0, "L-F678F1CE": 5.0, "L-0263D0A3": 5.0}
        self.unchanged = {"L-F678F1CE"}

    def get_service_quota(self, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:  # noqa: N803
        assert ServiceCode == ("vpc" if QuotaCode == "L-F678F1CE" else "ec2")
        if QuotaCode in self.unchanged:
            raise ClientError({"Error": {"Code": "NoSuchResourceException"}}, "GetServiceQuota")
        return self.get_aws_default_service_quota(ServiceCode, QuotaCode)

    def get_aws_default_service_quota(
        self,
        ServiceCode: str,  # noqa: N803
        QuotaCode: str,  # noqa: N803
    ) -> dict[str, Any]:
        assert ServiceCode
        return {"Quota": {"Value": self.values[QuotaCode]}}


class Sts:
    """STS that checks clock and keys, unlike moto."""

    def __init__(self, code: str, message: str, date: str) -> None:
        headers = {"HTTPHeaders": {"date": date}}
        self.error = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": headers}

    def get_caller_identity(self) -> dict[str, Any]:
        raise ClientError(self.error, "GetCallerIdentity")


class Sns:
    """SNS with unconfirmed subscriptions, which moto lacks."""

    subscription = f"{TOPIC}:1"
    addresses: tuple[str, ...] = (MAIL,)

    def get_paginator(self, name: str) -> Pages:
        if name == "list_topics":
            return Pages({"Topics": [{"TopicArn": TOPIC}]})
        found = [
            {"Endpoint": each, "SubscriptionArn": self.subscription} for each in self.addresses
        ]
        return Pages({"Subscriptions": found})
