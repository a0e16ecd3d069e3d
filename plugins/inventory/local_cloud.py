# Copyright (c) the cart-canary authors
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""amazon.aws.aws_ec2, asked only while the local cloud is up: before that it has no hosts.

This file alone is under the GPL, because it extends amazon.aws's plugin, which is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.inventory import aws_ec2

DOCUMENTATION = aws_ec2.DOCUMENTATION


class InventoryModule(aws_ec2.InventoryModule):  # type: ignore[misc]
    """Nothing may be sent to the cloud's address while there is no bridge that owns it."""

    NAME = "cart.canary.local_cloud"

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:  # noqa: FBT001, FBT002
        bridge = os.environ.get("LOCAL_CLOUD_BRIDGE") or "ccbr0"
        if Path("/sys/class/net", bridge).exists():
            super().parse(inventory, loader, path, cache)
