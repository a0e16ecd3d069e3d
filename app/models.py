"""The JSON models of the shop and their validation.

Internally, money is an integer of minor units (cents), so sums are exact. In JSON it is a decimal
number; a string with a number is accepted too.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

# These limits keep every total within NUMERIC(12,2): 100 x 1,000 x 99,999.99.
MAX_ITEMS = 100
MAX_QTY = 1_000
MAX_PRICE = 9_999_999
MAX_TOTAL = 999_999_999_999
UUID_PATTERN = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"

_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")
_PLAIN = re.compile(rb'"?(0|[1-9][0-9]{0,9})(?:\.([0-9]{1,2}))?"?')

#: The value of this key replaces the schema of the Python type.
INSTEAD = "x-instead"

Text = Annotated[str, Meta(min_length=1, max_length=200, pattern="^[^\\x00]*$")]
# Python's "$" also matches before a final newline; the length limit rejects that.
CartId = Annotated[
    str, Meta(pattern=UUID_PATTERN, max_length=36, extra_json_schema={"format": "uuid"})
]
_MONEY = Meta(
    description="A decimal number or a string that holds one, with at most 2 decimals.",
    extra_json_schema={
        "type": ["number", "string"],
        "minimum": 0,
        "maximum": 99_999.99,
        "multipleOf": 0.01,
        "pattern": r"^(0|[1-9][0-9]{0,4})(\.[0-9]{1,2})?$",
    },
)
if TYPE_CHECKING:
    MoneyIn = int
else:  # the raw digits; ``__post_init__`` converts them to minor units
    MoneyIn = Annotated[msgspec.Raw, _MONEY]
Quantity = Annotated[
    int,
    Meta(
        ge=1,
        le=MAX_QTY,
        extra_json_schema={
            INSTEAD: {
                "type": ["integer", "string"],
                "minimum": 1,
                "maximum": MAX_QTY,
                "pattern": "^([1-9][0-9]{0,2}|1000)$",
            }
        },
    ),
]
MoneyOut = Annotated[Decimal, Meta(extra_json_schema={INSTEAD: {"type": "number", "minimum": 0}})]


class ItemIn(msgspec.Struct):
    """A line of a cart in a request."""

    description: Text
    qty: Quantity
    unitPrice: MoneyIn  # noqa: N815

    def __post_init__(self) -> None:
        self.unitPrice = read_money(bytes(self.unitPrice), "unitPrice")


class CartIn(msgspec.Struct):
    """A new cart, or with ``id`` the new content of an existing cart."""

    items: Annotated[list[ItemIn], Meta(max_length=MAX_ITEMS)]
    id: CartId | None = None


class CheckoutIn(msgspec.Struct):
    """The cart to check out; ``items``, if sent, replace its content."""

    id: CartId
    items: Annotated[list[ItemIn], Meta(min_length=1, max_length=MAX_ITEMS)] | None = None


class ProductIn(msgspec.Struct):
    """A product of the catalogue."""

    id: Annotated[int, Meta(ge=1, le=2_147_483_647)]
    name: Text
    price: MoneyIn

    def __post_init__(self) -> None:
        self.price = read_money(bytes(self.price), "price")


class Item(msgspec.Struct):
    """A line of a cart, as stored and as returned."""

    description: str
    qty: int
    unitPrice: MoneyOut  # noqa: N815


class Cart(msgspec.Struct):
    id: str
    items: list[Item]


class Product(msgspec.Struct):
    id: int
    name: str
    price: MoneyOut


_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """Encode as JSON, with decimals as exact numbers."""
    return _encoder.encode(value)


def read_money(raw: bytes, field: str) -> int:
    """Return the minor units of a JSON number or of a string with a number.

    >>> read_money(b'"500"', "unitPrice"), read_money(b"19.99", "unitPrice")
    (50000, 1999)
    """
    plain = _PLAIN.fullmatch(raw)
    if plain and (raw[:1] == b'"') == (raw[-1:] == b'"'):
        cents = int(plain[1]) * 100 + int((plain[2] or b"0").ljust(2, b"0"))
    else:
        cents = _exact_cents(raw, field)
    if not 0 <= cents <= MAX_PRICE:
        raise ValueError(f"{field}: Expected an amount from 0 to {MAX_PRICE / 100}")
    return cents


def _exact_cents(raw: bytes, field: str) -> int:
    text = raw[1:-1] if raw[:1] == b'"' else raw
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        raise ValueError(f"{field}: Expected a decimal number of at most 40 characters")
    exact = Decimal(text.decode()) * 100
    if not -MAX_TOTAL <= exact <= MAX_TOTAL:
        return MAX_PRICE + 1
    if exact != exact.to_integral_value():
        raise ValueError(f"{field}: Expected at most 2 decimals")
    return int(exact)


def money(cents: int) -> Decimal:
    """Return minor units as the decimal for JSON: 500.0, 19.9, 19.99.

    >>> money(50000), money(1990), money(1999)
    (Decimal('500.0'), Decimal('19.9'), Decimal('19.99'))
    """
    if cents % 10:
        return Decimal(cents).scaleb(-2)
    return Decimal(cents // 10).scaleb(-1)


def priced(items: list[ItemIn]) -> tuple[list[Item], int]:
    """Return the items in stored form, and their exact total in minor units."""
    total = 0
    kept: list[Item] = []
    for item in items:
        total += item.qty * item.unitPrice
        kept.append(Item(item.description, item.qty, money(item.unitPrice)))
    return kept, total
