"""An AWS account that plain moto emulates, and this project's playbooks against it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3

from tests.foreign import gaps
from tests.foreign.gaps import Gaps
from tests.foreign.tap import Call, Tap, tapped
from tests.support.ansible_runs import BIN, Ansible, Run
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.waiting import wait_for

ACCOUNT = "123456789012"  # moto's default account
KEYS = {"AWS_ACCESS_KEY_ID": "foreign", "AWS_SECRET_ACCESS_KEY": "unchecked-by-plain-moto"}
ADMIN = "203.0.113.7/32 127.0.0.1/32"  # they include this machine's address as the emulator sees it
FOR_MOTO = "in-the-form-that-moto-checks"  # a policy's name (enforced.py)
# Without hosts: no machine answers at the addresses that moto invents.
HOSTLESS = ("--limit", "localhost", "--skip-tags", "analyzer")


@dataclass
class Account:
    """The emulated account, its tap, and a shell to type commands in."""

    tap: Tap
    gaps: Gaps
    home: Path
    inventory: Path = ROOT / "inventory/aws"
    shell: dict[str, str] = field(default_factory=dict)

    def play(self, playbook: str, *options: str, **variables: Any) -> tuple[Run, list[Call]]:
        """Run a playbook; return its result and the calls that it made."""
        ansible = Ansible(self.home / "run", shell=self.environment())
        with self.tap.recording() as calls:
            run = ansible.play(playbook, "-i", str(self.inventory), *options, **variables)
        return run, calls

    def environment(self) -> dict[str, str]:
        """Return the variables of a user's shell, and the address of the emulator."""
        return {
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "AWS_ENDPOINT_URL": self.tap.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CART_CANARY_AWS_ACCOUNT": ACCOUNT,
            "CART_CANARY_ADMIN_CIDR": ADMIN,
            **KEYS,
            **self.shell,
        }

    def client(self, service: str, region: str) -> Any:
        """Return a client that the tap does not see."""
        host, port = self.tap.upstream
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=f"http://{host}:{port}",
            **self.tap.keys,
        )

    def in_region(self, region: str) -> Account:
        """Return the same account with an inventory whose region was changed, in one place."""
        copy = self.home / f"inventory-{region}"
        shutil.copytree(ROOT / "inventory", copy, symlinks=True)
        place = copy / "aws/aws_ec2.yml"
        text = place.read_text()
        assert text.count("eu-central-1") == 1
        place.write_text(text.replace("eu-central-1", region))
        return Account(self.tap, self.gaps, self.home / region, copy / "aws", self.shell)


@contextmanager
def emulated(home: Path) -> Iterator[Account]:
    """Start plain moto on loopback, with the tap before it."""
    images, port = home / "images.json", free_port()
    images.write_text(json.dumps(gaps.IMAGES))
    server = subprocess.Popen(
        [str(BIN / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
        env={**os.environ, "MOTO_AMIS_PATH": str(images)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: listens(port), "moto listens")
        repairs = gaps.Gaps(lambda principal: statements_of(account, principal))
        with tapped(("127.0.0.1", port), repairs.repair) as tap:
            account = Account(tap, repairs, home)
            yield account
    finally:
        server.kill()  # kill it, as it saves nothing and stops slowly on a busy machine
        server.wait()


def statements_of(account: Account, principal: str) -> list[dict[str, Any]] | None:
    """Return the statements of a role's inline policies, or None if it is not a role."""
    _, is_role, name = principal.partition(":role/")
    if not is_role:
        return None
    iam = account.client("iam", "us-east-1")
    found: list[dict[str, Any]] = []
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        if policy != FOR_MOTO:
            found += iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"][
                "Statement"
            ]
    return found


def listens(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/moto-api/data.json", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def writes(calls: list[Call]) -> list[str]:
    """Return the calls that change something, each once."""
    return sorted({str(call) for call in calls if call.writes})
