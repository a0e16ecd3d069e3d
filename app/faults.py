"""Faults that a release may carry, for demonstrations and tests; none unless configured.

    SHOP_FAULTS="latency=200ms@/cart/checkout:0.3 error=503:0.05"

Each is ``name=value``, then ``@route`` (default: every route), then ``:p`` (default: always).
"""

from __future__ import annotations

from app.settings import Settings


class Faults:
    """The faults of this release; without any, every method does nothing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def active(self) -> list[str]:
        return []

    def unready(self) -> str:
        return ""

    def total(self, cents: int) -> int:
        return cents
