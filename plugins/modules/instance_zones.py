#!/usr/bin/python
# Copyright (c) the cart-canary authors
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the availability zones that offer instance types; amazon.aws has no module for it."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_zones
short_description: Find the availability zones that offer all of some instance types
description:
  - Not every zone of a region offers every instance type, and accounts differ in their zones.
  - Fails if no zone offers all of them.
options:
  types:
    description: Instance types.
    required: true
    type: list
    elements: str
author: [the cart-canary authors (@cart-canary)]
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Find the zones that offer t3.small
  cart.canary.instance_zones:
    types: [t3.small]
"""

RETURN = r"""
zones:
  description: Available zones that offer all of the types, sorted by name.
  returned: always
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

try:  # noqa: SIM105 - the form that ansible-test knows
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    pass  # AnsibleAWSModule reports that botocore is missing


def available(client: Any) -> set[str]:
    """Return the zones of the region, without local zones and impaired zones."""
    filters = [
        {"Name": "state", "Values": ["available"]},
        {"Name": "zone-type", "Values": ["availability-zone"]},
    ]
    found = client.describe_availability_zones(Filters=filters, aws_retry=True)
    return {zone["ZoneName"] for zone in found["AvailabilityZones"]}


def offering(client: Any, instance_type: str) -> set[str]:
    """Return the zones that offer one instance type."""
    pages = client.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": [instance_type]}],
    )
    return {offer["Location"] for page in pages for offer in page["InstanceTypeOfferings"]}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={"types": {"required": True, "type": "list", "elements": "str"}},
        supports_check_mode=True,
    )
    client = module.client("ec2", retry_decorator=AWSRetry.jittered_backoff())
    types = module.params["types"]
    try:
        zones = available(client).intersection(*(offering(client, each) for each in types))
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="The zones of the region could not be read")
    if not zones:
        module.fail_json(
            msg=f"No zone of {client.meta.region_name} offers {' and '.join(types)}. Choose other "
            "types: instances_type, or `type` of a host in instances_hosts"
        )
    module.exit_json(changed=False, zones=sorted(zones))


if __name__ == "__main__":
    main()
