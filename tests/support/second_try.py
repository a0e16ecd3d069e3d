"""Whether tests with real servers or hosts that failed are tried a second time, as CI does."""

from __future__ import annotations

import os

SECOND_TRY = "CART_CANARY_SECOND_TRY"


def wanted() -> bool:
    return os.environ.get(SECOND_TRY) == "1"
