"""Tables of DynamoDB, as the role ``storage`` makes them."""

from __future__ import annotations

from typing import Any


def make_table(dynamodb: Any, name: str, *keys: str) -> Any:
    """Make a table through a client or a resource; its keys are a hash and, if two, a range."""
    return dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
    )
