#!/usr/bin/python
# Copyright (c) the cart-canary authors
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reload or restart a systemd unit whose files changed since it last read them.

A handler runs only in the run that notifies it. If that run is interrupted, later runs find the
file unchanged and the unit keeps its old configuration. This module compares the times of the
files with those of the unit instead, so an interrupted run loses nothing.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: unit_applied
short_description: Reload or restart a systemd unit whose files changed
description:
  - Compares when the files last changed with when the unit was started or reloaded.
  - Leaves a unit alone that does not run, because it reads the files when it starts.
options:
  unit:
    description: Name of the unit.
    required: true
    type: str
  files:
    description: Files that the unit reads.
    required: true
    type: list
    elements: path
  state:
    description:
      - What to do with a unit whose files changed.
      - Use V(stopped) for a unit that another unit starts again.
    choices: [reloaded, restarted, stopped]
    required: true
    type: str
  planned:
    description: In check mode, whether a file would change.
    default: false
    type: bool
author: [the cart-canary authors (@cart-canary)]
"""

EXAMPLES = r"""
- name: Reload HAProxy if its configuration changed
  cart.canary.unit_applied:
    unit: haproxy
    files: [/etc/haproxy/haproxy.cfg]
    state: reloaded
"""

RETURN = r"""
written:
  description: Files that changed since the unit read them.
  returned: always
  type: list
  elements: str
"""

from datetime import UTC, datetime
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

RUNS = ("active", "activating", "reloading")
#: The verb of systemctl, and the time of the unit that files are compared with. A reload does not
#: change the start time, and a slow start reads its files early.
STATES = {
    "reloaded": ("reload", "StateChangeTimestamp"),
    "restarted": ("restart", "InactiveExitTimestamp"),
    "stopped": ("stop", "InactiveExitTimestamp"),
}
MOMENT = "%a %Y-%m-%d %H:%M:%S.%f %Z"


def systemctl(module: AnsibleModule, *words: str) -> str:
    _status, answer, _errors = module.run_command(["systemctl", *words], check_rc=True)
    return str(answer)


def shown(module: AnsibleModule) -> dict[str, str]:
    """Return the properties of the unit."""
    lines = systemctl(module, "show", "--timestamp=us+utc", module.params["unit"]).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def seconds(moment: str) -> float:
    """Return a time of systemd in seconds since 1970; 0 if it is empty."""
    return datetime.strptime(moment, MOMENT).replace(tzinfo=UTC).timestamp() if moment else 0.0


def written(module: AnsibleModule, moment: float) -> list[str]:
    """Return the files that changed after a time; in check mode a file may be missing."""
    files = [Path(name) for name in module.params["files"]]
    missing = [str(file) for file in files if not file.exists()]
    if missing and not module.check_mode:
        module.fail_json(
            msg=f"{module.params['unit']} reads {', '.join(missing)}, which does not exist. "
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
    told = f"{verb} {name}, because these files changed: {', '.join(found)}\n"
    module.exit_json(changed=changed, written=found, diff={"prepared": told if changed else ""})


if __name__ == "__main__":
    main()
