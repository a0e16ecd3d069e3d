#!/usr/bin/python
# Copyright (c) the cart-canary authors
# SPDX-License-Identifier: Apache-2.0
"""Have a unit of systemd read its files again, if one was written since it last did.

A handler is told once. When the run that told it is cut off, the file is as it should be from then
on, nobody is told again, and the unit goes on with what it read before. Here it is the files and
systemd that say whether something is due.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
---
module: unit_applied
short_description: Have a unit of systemd read its files again, if one was written since
description:
  - Compares when the files last changed with when the unit was started, or reloaded.
  - A unit that does not run is left alone, for it will read them when it starts.
options:
  unit:
    description: Name of the unit.
    required: true
    type: str
  files:
    description: What it reads.
    required: true
    type: list
    elements: path
  state:
    description:
      - How it comes to read them.
      - V(stopped) is for what another unit starts again.
    choices: [reloaded, restarted, stopped]
    required: true
    type: str
  planned:
    description: In check mode, whether one of the files would be written.
    default: false
    type: bool
author: [the cart-canary authors]
"""

EXAMPLES = r"""
- name: Let HAProxy read its configuration
  cart.canary.unit_applied:
    unit: haproxy
    files: [/etc/haproxy/haproxy.cfg]
    state: reloaded
"""

RETURN = r"""
written:
  description: The files that were written since the unit read them.
  returned: always
  type: list
  elements: str
"""

RUNS = ("active", "activating", "reloading")
#: What systemctl is told, and the moment since which files count as read: a reload leaves that of
#: the start as it was, and a start that takes long reads early.
STATES = {
    "reloaded": ("reload", "StateChangeTimestamp"),
    "restarted": ("restart", "InactiveExitTimestamp"),
    "stopped": ("stop", "InactiveExitTimestamp"),
}
MOMENT = "%a %Y-%m-%d %H:%M:%S.%f %Z"


def systemctl(module: AnsibleModule, *words: str) -> str:
    _, answer, _ = module.run_command(["systemctl", *words], check_rc=True)
    return str(answer)


def shown(module: AnsibleModule) -> dict[str, str]:
    """Return what systemd knows of the unit."""
    lines = systemctl(module, "show", "--timestamp=us+utc", module.params["unit"]).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def seconds(moment: str) -> float:
    """Return systemd's moment in seconds since 1970; 0 if it never was."""
    return datetime.strptime(moment, MOMENT).replace(tzinfo=UTC).timestamp() if moment else 0.0


def written(module: AnsibleModule, moment: float) -> list[str]:
    """Return the files that changed after a moment; in check mode one may be missing."""
    files = [Path(name) for name in module.params["files"]]
    missing = [str(file) for file in files if not file.exists()]
    if missing and not module.check_mode:
        module.fail_json(
            msg=f"{module.params['unit']} is to read {', '.join(missing)}, which is not there. "
            "Write it before this task, or leave it out of files."
        )
    return [str(file) for file in files if file.exists() and file.stat().st_ctime > moment]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "unit": {"required": True, "type": "str"},
            "files": {"required": True, "type": "list", "elements": "path"},
            "state": {"required": True, "choices": list(STATES), "type": "str"},
            "planned": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    name = module.params["unit"]
    verb, since = STATES[module.params["state"]]
    unit = shown(module)
    found = written(module, seconds(unit.get(since, "")))
    due = bool(found) or (module.check_mode and module.params["planned"])
    changed = due and unit.get("ActiveState") in RUNS
    if changed and not module.check_mode:
        if unit.get("NeedDaemonReload") == "yes":
            systemctl(module, "daemon-reload")
        systemctl(module, verb, name)
    told = f"{verb} {name}, for what was written since it read: {', '.join(found)}\n"
    module.exit_json(changed=changed, written=found, diff={"prepared": told if changed else ""})


if __name__ == "__main__":
    main()
