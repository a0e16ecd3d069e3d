#!/usr/bin/python
# Copyright (c) the cart-canary authors
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, change and delete CloudWatch dashboards; amazon.aws has no module for them."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cloudwatch_dashboard
short_description: Manage a CloudWatch dashboard
description:
  - Creates, changes and deletes dashboards.
  - Compares bodies as data, so the order of keys is not a change.
  - Can keep vertical annotations that other programs added, see O(keep_marks).
  - Fails if CloudWatch reports a problem with the body.
options:
  name:
    description: Name of the dashboard.
    required: true
    type: str
  state:
    description: Whether the dashboard exists.
    choices: [present, absent]
    default: present
    type: str
  body:
    description: Body of the dashboard; see CloudWatch's "Dashboard Body Structure and Syntax".
    type: dict
  keep_marks:
    description:
      - Keep the vertical annotations that a graph has.
      - Graphs are matched by title. Annotations in O(body) replace those of their graph.
    default: false
    type: bool
author: [the cart-canary authors (@cart-canary)]
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Create a dashboard
  cart.canary.cloudwatch_dashboard:
    name: shop
    body:
      widgets:
        - type: text
          width: 24
          height: 1
          properties: {markdown: Hello}
"""

RETURN = r"""
body:
  description: Body of the dashboard after the module ran.
  returned: when state is present
  type: dict
"""

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

try:  # noqa: SIM105 - the form that ansible-test knows
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    pass  # AnsibleAWSModule reports that botocore is missing

NOT_FOUND = "ResourceNotFound"


def read(module: AnsibleAWSModule, client: Any, name: str) -> dict[str, Any] | None:
    """Return the body of a dashboard, or None if there is no such dashboard."""
    try:
        answer = client.get_dashboard(DashboardName=name, aws_retry=True)
    except is_boto3_error_code(NOT_FOUND):
        return None
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The dashboard {name} could not be read")
    body: dict[str, Any] = json.loads(answer["DashboardBody"])
    return body


def marks(widget: dict[str, Any]) -> list[Any]:
    """Return a widget's vertical annotations."""
    found: list[Any] = widget.get("properties", {}).get("annotations", {}).get("vertical", [])
    return found


def keeping(body: dict[str, Any], current: dict[str, Any] | None) -> dict[str, Any]:
    """Return the wanted body with the vertical annotations of the current dashboard."""
    there = (current or {}).get("widgets", [])
    known = {each.get("properties", {}).get("title"): marks(each) for each in there}
    return {**body, "widgets": [_keeping(widget, known) for widget in body["widgets"]]}


def _keeping(widget: dict[str, Any], known: dict[str | None, list[Any]]) -> dict[str, Any]:
    shown = widget["properties"]
    kept = known.get(shown.get("title"), [])
    if not kept or marks(widget):
        return widget
    annotations = {**shown.get("annotations", {}), "vertical": kept}
    return {**widget, "properties": {**shown, "annotations": annotations}}


def write(module: AnsibleAWSModule, client: Any, name: str, body: dict[str, Any]) -> None:
    try:
        answer = client.put_dashboard(
            DashboardName=name, DashboardBody=json.dumps(body, sort_keys=True), aws_retry=True
        )
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The dashboard {name} could not be written")
    complaints = [each["Message"] for each in answer.get("DashboardValidationMessages", [])]
    if complaints:
        module.fail_json(msg=f"CloudWatch took the dashboard {name}, but: {'; '.join(complaints)}")


def delete(module: AnsibleAWSModule, client: Any, name: str) -> None:
    try:
        client.delete_dashboards(DashboardNames=[name], aws_retry=True)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The dashboard {name} could not be deleted")


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"required": True, "type": "str"},
            "state": {"choices": ["present", "absent"], "default": "present", "type": "str"},
            "body": {"type": "dict"},
            "keep_marks": {"type": "bool", "default": False},
        },
        required_if=[("state", "present", ["body"])],
        supports_check_mode=True,
    )
    client = module.client("cloudwatch", retry_decorator=AWSRetry.jittered_backoff())
    name = module.params["name"]
    wanted = module.params["body"] if module.params["state"] == "present" else None
    current = read(module, client, name)
    if wanted is not None and module.params["keep_marks"]:
        wanted = keeping(wanted, current)
    changed = current != wanted
    if changed and not module.check_mode:
        if wanted is None:
            delete(module, client, name)
        else:
            write(module, client, name, wanted)
    result = {"changed": changed, "diff": {"before": current or {}, "after": wanted or {}}}
    module.exit_json(**result, **({"body": wanted} if wanted is not None else {}))


if __name__ == "__main__":
    main()
