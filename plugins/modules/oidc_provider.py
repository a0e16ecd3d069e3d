#!/usr/bin/python
# Copyright (c) the cart-canary authors
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create and delete an OpenID Connect provider of IAM; amazon.aws has no module for it."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: oidc_provider
short_description: Manage an OpenID Connect provider of IAM
description:
  - Creates and deletes a provider, whose tokens IAM roles can trust.
  - AWS reads the certificate of the well-known providers itself, so no thumbprint is given.
options:
  host:
    description: Host of the provider, without C(https://).
    required: true
    type: str
  audience:
    description: Audience of the tokens.
    default: sts.amazonaws.com
    type: str
  state:
    description: Whether the provider exists.
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
- name: Let roles trust the workflows of GitHub
  cart.canary.oidc_provider:
    host: token.actions.githubusercontent.com
"""

RETURN = r"""
arn:
  description: ARN of the provider; empty if it does not exist.
  returned: always
  type: str
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

try:  # noqa: SIM105 - the form that ansible-test knows
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    pass  # AnsibleAWSModule reports that botocore is missing


def find(client: Any, host: str) -> str:
    """Return the ARN of the provider, or an empty string."""
    listed = client.list_open_id_connect_providers(aws_retry=True)
    arns = [each["Arn"] for each in listed["OpenIDConnectProviderList"]]
    return next((arn for arn in arns if arn.endswith(f":oidc-provider/{host}")), "")


def create(client: Any, arn: str, host: str, audience: str, *, check: bool) -> tuple[bool, str]:
    """Create the provider, or add the audience. Return whether it changed, and its ARN."""
    if not arn:
        if check:
            return True, ""
        made = client.create_open_id_connect_provider(
            Url=f"https://{host}", ClientIDList=[audience], aws_retry=True
        )
        return True, made["OpenIDConnectProviderArn"]
    known = client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn, aws_retry=True)
    if audience in known["ClientIDList"]:
        return False, arn
    if not check:
        client.add_client_id_to_open_id_connect_provider(
            OpenIDConnectProviderArn=arn, ClientID=audience, aws_retry=True
        )
    return True, arn


def delete(client: Any, arn: str, *, check: bool) -> tuple[bool, str]:
    if arn and not check:
        client.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn, aws_retry=True)
    return bool(arn), ""


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "host": {"required": True, "type": "str"},
            "audience": {"default": "sts.amazonaws.com", "type": "str"},
            "state": {"choices": ["present", "absent"], "default": "present", "type": "str"},
        },
        supports_check_mode=True,
    )
    client = module.client("iam", retry_decorator=AWSRetry.jittered_backoff())
    host, audience, check = module.params["host"], module.params["audience"], module.check_mode
    try:
        arn = find(client, host)
        if module.params["state"] == "present":
            changed, arn = create(client, arn, host, audience, check=check)
        else:
            changed, arn = delete(client, arn, check=check)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The provider {host} could not be managed")
    module.exit_json(changed=changed, arn=arn)


if __name__ == "__main__":
    main()
