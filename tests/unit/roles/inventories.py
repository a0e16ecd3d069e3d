"""The environments as Ansible sees them, with hosts as in the EC2 inventory."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from tests.support.ansible_templates import load_plugins
from tests.support.inventory import Inventory
from tests.support.paths import ROOT

load_plugins()

PARAMETERS = "ansible_collections.amazon.aws.plugins.lookup.ssm_parameter"
LIVE = "green 1a2b3c4d5e6f"
ACCOUNT = "123456789012"
ENVIRONMENTS = ("local", "aws", "processes")
HOSTS = {
    "proxy-1": ["proxy"],
    "monitor-1": ["monitor"],
    "app-blue-1": ["app", "app_blue"],
    "app-blue-2": ["app", "app_blue"],
    "app-green-1": ["app", "app_green"],
    "app-green-2": ["app", "app_green"],
    "data-1": ["data"],
}
COPIES = TemporaryDirectory(prefix="cart-canary-inventories-")


class Environment(Inventory):
    """An inventory with hosts from a file instead of the EC2 API."""

    def __init__(self, name: str, directory: Path) -> None:
        shutil.copytree(ROOT / "inventory", directory / "inventory")
        source = directory / "inventory" / name
        (source / "ec2.yml").write_text(yaml.safe_dump(_as_found(name)), encoding="utf-8")
        super().__init__([source / "hosts.yml", source / "ec2.yml"], "/venv/bin/python")


def _as_found(environment: str) -> dict[str, Any]:
    groups: dict[str, Any] = {"aws_ec2": {"hosts": {}}}
    for number, (short, names) in enumerate(HOSTS.items(), start=4):
        host = f"{environment}-{short}"
        role, *rest = short.split("-")
        tags = {"Name": host, "role": role, "Project": "shop", "Environment": environment}
        if len(rest) > 1:
            tags["colour"] = rest[0]
        groups["aws_ec2"]["hosts"][host] = {
            "ansible_host": f"192.0.2.{number}",
            "ec2_private_ip_address": f"192.0.2.{number}",
            "ec2_instance_id": f"i-{number:017x}",
            "ec2_tags": tags,
        }
        for name in names:
            groups.setdefault(name, {"hosts": {}})["hosts"][host] = None
    return groups


def use_account(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Name the AWS account, and keep the environments' files in ``directory``."""
    monkeypatch.setenv("CART_CANARY_RUN", str(directory / "run"))
    monkeypatch.setenv("CART_CANARY_AWS_ACCOUNT", ACCOUNT)


def load(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Return an environment whose account holds only the live release.

    Its inventory is parsed once for all tests. Its values are resolved for each, with files in
    ``tmp_path``.
    """
    _prepare(tmp_path, monkeypatch)
    return _parsed(name)


def load_again(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Return the same from a copy of the inventory in ``tmp_path``, which a test may change."""
    _prepare(tmp_path, monkeypatch)
    return Environment(name, tmp_path)


def _prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_account(monkeypatch, tmp_path)
    monkeypatch.setenv("LOCAL_CLOUD_BRIDGE", "absent0")
    monkeypatch.setattr(f"{PARAMETERS}.LookupModule.run", lambda *_, **__: [LIVE])
    for other in ("STATE", "NETWORK", "PORT"):
        monkeypatch.delenv(f"LOCAL_CLOUD_{other}", raising=False)


@cache
def _parsed(name: str) -> Environment:
    return Environment(name, Path(COPIES.name, name))
