# Copyright (c) the cart-canary authors
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the local cloud's hosts with amazon.aws.aws_ec2; none while the local cloud is down."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: local_cloud
short_description: Hosts of the local cloud
description:
  - Reads hosts from the local cloud's EC2 API with C(amazon.aws.aws_ec2).
  - While the local cloud is down there are no hosts, and nothing is sent to its address.
  - The name of the file ends with C(aws_ec2.yml).
author: [the cart-canary authors (@cart-canary)]
options:
  plugin:
    description:
      - Name of this plugin.
      - All other options of the file are those of C(amazon.aws.aws_ec2).
    required: true
    choices: [cart.canary.local_cloud]
    type: str
"""

EXAMPLES = r"""
plugin: cart.canary.local_cloud
endpoint_url: http://10.77.0.1:4566
access_key: local
secret_key: unchecked-by-the-local-cloud
regions: [eu-central-1]
"""

import os
from pathlib import Path
from typing import Any

from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.plugins.loader import inventory_loader


class InventoryModule(BaseInventoryPlugin):  # type: ignore[misc]
    """The local cloud is up if its bridge exists."""

    NAME = "cart.canary.local_cloud"

    def verify_file(self, path: str) -> bool:
        return super().verify_file(path) and path.endswith(("aws_ec2.yml", "aws_ec2.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:  # noqa: FBT001, FBT002
        bridge = os.environ.get("LOCAL_CLOUD_BRIDGE") or "ccbr0"
        if not Path("/sys/class/net", bridge).exists():
            return
        ec2 = inventory_loader.get("amazon.aws.aws_ec2")
        ec2._redirected_names = [self.NAME]  # the file names this plugin, which ec2 then accepts
        ec2.parse(inventory, loader, path, cache)
