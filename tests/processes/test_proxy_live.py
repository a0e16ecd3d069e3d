"""A new proxy starts with the recorded live colour; an existing proxy keeps its state."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cloudwatch_client import KEYS, REGION, client, running
from tests.support.paths import ROOT

pytestmark = [pytest.mark.timeout(180)]
PARAMETER = "/shop/local/live"


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    with running(tmp_path / "state.json") as url:
        yield url


def start(directory: Path, endpoint: str) -> str:
    """Run the role's task that writes the live colour of a host, and return the result."""
    tasks = yaml.safe_load((ROOT / "roles/proxy/tasks/configure.yml").read_text(encoding="utf-8"))
    (first,) = [task for task in tasks if "live colour" in task["name"]]
    variables: dict[str, Any] = {
        "__proxy_memory": str(directory),
        "live_parameter": PARAMETER,
        "aws_region": REGION,
        "aws_environment": {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
        },
        "ansible_python_interpreter": sys.executable,
    }
    shared = str(ROOT / "inventory/groups/proxy.yml")
    play = {"hosts": "localhost", "gather_facts": False, "vars_files": [shared], "tasks": [first]}
    playbook = directory / "play.yml"
    playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
    program = str(Path(sys.executable).parent / "ansible-playbook")
    done = subprocess.run(
        [program, "-i", "localhost,", "-c", "local", str(playbook), "-e", json.dumps(variables)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return (directory / "live").read_text(encoding="utf-8").strip()


def test_a_new_proxy_serves_what_is_meant_to_be_live(tmp_path: Path, endpoint: str) -> None:
    ssm = client(endpoint, "ssm")
    ssm.put_parameter(Name=PARAMETER, Value="green 1a2b3c4d5e6f", Type="String")
    assert start(tmp_path, endpoint) == "green"
    ssm.put_parameter(Name=PARAMETER, Value="blue", Type="String", Overwrite=True)
    assert start(tmp_path, endpoint) == "green", "nothing moves by itself"
