"""Options of an environment's AWS clients: region, endpoint, and keys for an emulator."""

from __future__ import annotations

import os
from collections.abc import Mapping

from canary.environment.schema import Environment

OWN_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE")
EMULATOR_KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


def client_options(
    environment: Environment, environ: Mapping[str, str] = os.environ
) -> dict[str, str | None]:
    """Return the options of every client.

    An environment with an endpoint of its own is an emulator, which accepts any keys: real ones
    are used only if the user set them, and are not looked for anywhere else.
    """
    where = {"region_name": environment.region, "endpoint_url": environment.endpoint_url}
    if environment.endpoint_url and not any(environ.get(name) for name in OWN_KEYS):
        return {**where, **EMULATOR_KEYS}
    return where
