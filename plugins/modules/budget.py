#!/usr/bin/python
# Copyright (c) the cart-canary authors
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, change and delete a monthly budget with mails; amazon.aws has no module for it."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: budget
short_description: Manage a monthly budget of an account
description:
  - AWS sends a mail when the costs of a month are forecast to exceed the budget.
options:
  name:
    description: Name of the budget.
    required: true
    type: str
  account:
    description: Id of the account.
    required: true
    type: str
  dollars:
    description: Limit of a month in US dollars; required if O(state=present).
    type: int
  emails:
    description: Addresses that get the mail, at most ten; required if O(state=present).
    type: list
    elements: str
  state:
    description: Whether the budget exists.
    choices: [present, absent]
    default: present
    type: str
author: [the cart-canary authors (@cart-canary)]
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Send a mail before a month costs more than 300 dollars
  cart.canary.budget:
    name: shop
    account: "123456789012"
    dollars: 300
    emails: [ops@example.org]
"""

RETURN = r"""
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

try:  # noqa: SIM105 - the form that ansible-test knows
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    pass  # AnsibleAWSModule reports that botocore is missing

FORECAST = {
    "NotificationType": "FORECASTED",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 100.0,
    "ThresholdType": "PERCENTAGE",
}


def wanted(name: str, dollars: int) -> dict[str, Any]:
    """Return the budget as the API takes it."""
    return {
        "BudgetName": name,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": str(dollars), "Unit": "USD"},
    }


def is_right(client: Any, there: dict[str, Any], parameters: dict[str, Any]) -> bool:
    """Return whether the limit and the subscribers are as wanted."""
    key = {"AccountId": parameters["account"], "BudgetName": parameters["name"]}
    if float(there["BudgetLimit"]["Amount"]) != parameters["dollars"]:
        return False
    kinds = client.describe_notifications_for_budget(**key, aws_retry=True)["Notifications"]
    if [kind["NotificationType"] for kind in kinds] != [FORECAST["NotificationType"]]:
        return False
    found = client.describe_subscribers_for_notification(
        **key, Notification=FORECAST, aws_retry=True
    )["Subscribers"]
    return {each["Address"] for each in found} == set(parameters["emails"])


def read(client: Any, account: str, name: str) -> dict[str, Any] | None:
    try:
        answer = client.describe_budget(AccountId=account, BudgetName=name, aws_retry=True)
    except is_boto3_error_code("NotFoundException"):
        return None
    found: dict[str, Any] = answer["Budget"]
    return found


def replace(client: Any, there: dict[str, Any] | None, parameters: dict[str, Any]) -> None:
    """Delete the budget if it exists, and create it. A budget keeps no state of its own."""
    account, name = parameters["account"], parameters["name"]
    if there is not None:
        client.delete_budget(AccountId=account, BudgetName=name, aws_retry=True)
    if parameters["state"] == "absent":
        return
    people = [{"SubscriptionType": "EMAIL", "Address": each} for each in parameters["emails"]]
    client.create_budget(
        AccountId=account,
        Budget=wanted(name, parameters["dollars"]),
        NotificationsWithSubscribers=[{"Notification": FORECAST, "Subscribers": people}],
        aws_retry=True,
    )


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"required": True, "type": "str"},
            "account": {"required": True, "type": "str"},
            "dollars": {"type": "int"},
            "emails": {"type": "list", "elements": "str"},
            "state": {"choices": ["present", "absent"], "default": "present", "type": "str"},
        },
        required_if=[("state", "present", ["dollars", "emails"])],
        supports_check_mode=True,
    )
    client = module.client("budgets", retry_decorator=AWSRetry.jittered_backoff())
    given = module.params
    try:
        there = read(client, given["account"], given["name"])
        if given["state"] == "absent":
            changed = there is not None
        else:
            changed = there is None or not is_right(client, there, given)
        if changed and not module.check_mode:
            replace(client, there, given)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The budget {given['name']} could not be managed")
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
