"""The shared local cloud of the end-to-end tests, with a release on both colours."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from local_cloud.settings import Settings
from tests.support.paths import ROOT


@dataclass(frozen=True)
class SessionCloud:
    """Seven hosts that ``site.yml`` has configured, with the environment for programs."""

    settings: Settings
    run: Path
    """The directory of the environments' keys, policies and reports: CART_CANARY_RUN."""

    @property
    def policy(self) -> Path:
        return self.run / "local/canary.yml"

    @property
    def endpoint(self) -> str:
        """The URL of the AWS API."""
        return self.settings.endpoint

    def environment(self) -> dict[str, str]:
        """Return the environment variables for programs that use this cloud."""
        return {**os.environ, **self.settings.environment(), "CART_CANARY_RUN": str(self.run)}

    def hosts(self) -> dict[str, str]:
        """Return the address of every host, by name."""
        status = json.loads(self.output("local-cloud", "status", "--json"))
        return {host["name"]: host["ip"] for host in status["hosts"]}

    def status(self) -> dict[str, Any]:
        """Return the status from ``canary status``."""
        found: dict[str, Any] = json.loads(
            self.output("canary", "status", "--env", "local", "--json")
        )
        return found

    def share(self, colour: str) -> float:
        """Return the share of the traffic that the proxy sends to a colour."""
        shares = self.status()["proxy"]["shares"]
        return float(sum(value for server, value in shares.items() if server.startswith(colour)))

    def output(self, *command: str, cwd: Path = ROOT) -> str:
        """Run a command for this cloud; it must succeed."""
        done = subprocess.run(
            command, cwd=cwd, env=self.environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def ssh(self, host: str, command: str) -> str:
        """Run a command on a host as root; it must succeed."""
        return self.output("local-cloud", "ssh", host, f"sudo sh -c '{command}'")

    def client(self, service: str) -> Any:
        """Return a boto3 client for the cloud."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="eu-central-1",
            aws_access_key_id="local",
            aws_secret_access_key="unchecked",  # noqa: S106 - the local cloud takes any
        )
