"""DynamoDB tables like those of the role ``storage``."""

from __future__ import annotations

from typing import Any


def make_table(dynamodb: Any, name: str, *keys: str) -> Any:
    """Create a table with a client or a resource; the keys are hash and optionally range."""
    return dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
    )
