"""Run playbooks as a user does, and read their results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_cloud.settings import Settings
from tests.support.paths import ROOT

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Run:
    """The result of a playbook: changed tasks by name, and error messages."""

    status: int
    changed: tuple[str, ...]
    messages: tuple[str, ...]
    output: str

    @property
    def failed(self) -> bool:
        return self.status != 0


@dataclass
class Ansible:
    """ansible-playbook with this project's inventory, for one local cloud, or none.

    ``shell`` replaces variables of this process's environment.
    """

    run: Path
    cloud: Settings | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    shell: dict[str, str] | None = None

    def play(self, playbook: str, *options: str, **variables: Any) -> Run:
        command = [str(BIN / "ansible-playbook"), playbook, *options]
        command += ["--extra-vars", json.dumps({**self.variables, **variables})]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        tasks = list(_tasks(done.stdout))
        return Run(
            status=done.returncode,
            changed=tuple(name for name, result in tasks if result.get("changed")),
            messages=tuple(str(r.get("msg")) for _, r in tasks if r.get("failed")),
            output=done.stdout[-5_000:] + done.stderr[-5_000:],
        )

    def _environment(self) -> dict[str, str]:
        return {
            **(os.environ if self.shell is None else self.shell),
            **(self.cloud.environment() if self.cloud else {"LOCAL_CLOUD_BRIDGE": "absent0"}),
            "PATH": f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin",
            "CART_CANARY_RUN": str(self.run),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_CACHE_PLUGIN": "memory",
        }


def _tasks(output: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the name and each host's result of every task."""
    start = output.find("{\n")  # other callbacks print text before and after the JSON
    document = json.JSONDecoder().raw_decode(output, start)[0] if start >= 0 else {"plays": []}
    return [
        (task["task"]["name"], result)
        for play in document["plays"]
        for task in play["tasks"]
        for result in task["hosts"].values()
    ]
