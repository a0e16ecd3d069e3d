"""A replaced host gets its colour's release, which the other hosts of the colour confirm."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT

pytestmark = [pytest.mark.timeout(120)]
DUE, OLDER = "1a2b3c4d5e6f", "0" * 12
DIGEST, OTHER = (hashlib.sha256(text).hexdigest() for text in (b"release", b"other"))


def host(directory: Path, release: str = "", digest: str = "") -> dict[str, Any]:
    """Return the variables of a host of this machine, with a release or empty."""
    directory.mkdir()
    if release:
        (directory / "releases" / release).mkdir(parents=True)
        (directory / "current").symlink_to(directory / "releases" / release)
    if digest:
        (directory / "current" / "artifact.sha256").write_text(digest + "\n", encoding="utf-8")
    return {"place": str(directory)}


def due(directory: Path, hosts: dict[str, dict[str, Any]]) -> list[str]:
    """Return the release and the digest that the last host must get."""
    tasks = yaml.safe_load((ROOT / "roles/app/tasks/replace.yml").read_text(encoding="utf-8"))
    (install,) = [task for task in tasks if "block" in task]
    chosen = {name: install["vars"][name] for name in ("app_release", "app_sha256")}
    told = {"content": "{{ app_release }} {{ app_sha256 }}", "dest": f"{directory}/due"}
    last = {"vars": chosen, "when": f"inventory_hostname == '{list(hosts)[-1]}'"}
    play = {
        "hosts": "all",
        "gather_facts": False,
        "vars_files": [str(ROOT / "roles/app/vars/main.yml")],
        "tasks": [*(each for each in tasks if each is not install), {"copy": told, **last}],
    }
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = {"all": {"hosts": hosts, "vars": local}}
    (directory / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    (directory / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
    # A variable on the command line overrides that of the role.
    extra = {"__app_directory": "{{ place }}", "app_hosts": list(hosts)}
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-playbook"),
            *("-i", str(directory / "hosts.yml"), str(directory / "play.yml")),
            *("-e", json.dumps(extra)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return (directory / "due").read_text(encoding="utf-8").split()


def test_an_empty_host_gets_the_release_and_the_digest_of_the_same_host(tmp_path: Path) -> None:
    hosts = {
        "a": host(tmp_path / "a", DUE, DIGEST),
        "b": host(tmp_path / "b", OLDER, OTHER),
        "c": host(tmp_path / "c"),
    }
    assert due(tmp_path, hosts) == [DUE, DIGEST]
