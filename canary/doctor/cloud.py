"""The AWS API, the clock and the network, as the checks see them; tests replace it."""

from __future__ import annotations

import os
import socket
import time
import urllib.request
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from canary.doctor.needs import Needs
from canary.environment.access import EMULATOR_KEYS, OWN_KEYS

QUICK = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})
CHECKIP = "https://checkip.amazonaws.com"
PROBED_PORT = 53
"""No packet is sent: connecting a datagram socket only chooses the local address."""


class Cloud:
    """Clients of one account and region."""

    def __init__(self, needs: Needs, environ: Mapping[str, str] = os.environ) -> None:
        self._endpoint = needs.endpoint_url or environ.get("AWS_ENDPOINT_URL")
        self._options: dict[str, Any] = {
            "region_name": needs.region,
            "endpoint_url": needs.endpoint_url,
            "config": QUICK,
        }
        if needs.endpoint_url and not any(environ.get(name) for name in OWN_KEYS):
            self._options |= EMULATOR_KEYS
        self.client = cache(self._client)

    def _client(self, service: str) -> Any:
        return boto3.client(service, **self._options)

    def now(self) -> float:
        """Return the time of this machine's clock."""
        return time.time()

    def address(self) -> str:
        """Return this machine's address, as the account's firewall sees it."""
        if self._endpoint:
            host = urlsplit(self._endpoint).hostname or "127.0.0.1"
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect((host, PROBED_PORT))
                return str(probe.getsockname()[0])
        with urllib.request.urlopen(CHECKIP, timeout=5) as answer:
            return str(answer.read(64).decode("ascii").strip())
