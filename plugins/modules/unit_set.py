#!/usr/bin/python
# Copyright (c) the cart-canary authors
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set the state of systemd units, and restart or reload a unit whose files have changed.

Ansible notifies a handler once. If that run is interrupted, the next run finds the file unchanged
and notifies no handler, so the unit keeps its old configuration. This module compares the files
with systemd's timestamps instead, so an interruption loses nothing.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: unit_set
short_description: Set the state of systemd units, and apply changes of their files
description:
  - Enables, masks, starts and stops units, and restarts or reloads a unit if one of its files
    changed after the unit was started or reloaded.
  - A unit that does not run reads its files when it starts, so it is not restarted.
  - Runs C(systemctl daemon-reload) first if a unit's own file changed.
options:
  units:
    description: Units, in the order in which they are changed.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {description: Name of the unit., type: str, required: true}
      enabled: {description: Whether it starts at boot., type: bool}
      masked: {description: Whether nothing can start it., type: bool}
      running: {description: Whether it runs., type: bool}
      needs: {description: Path without which the unit is not started., type: path}
      restart_on:
        <<: &files {type: list, elements: path, default: []}
        description: Restart it if one of these files changed.
      reload_on:
        <<: *files
        description: Reload it if one of these files changed, and no restart was due.
      stop_on:
        <<: *files
        description: Stop it if one of these files changed; another unit starts it again.
      report_on:
        <<: *files
        description: Return it in C(due) if one of these files changed, and do not restart it.
  planned:
    description: In check mode, files that an earlier task would write.
    type: list
    elements: path
    default: []
author: [the cart-canary authors (@cart-canary)]
"""

EXAMPLES = r"""
- name: Run HAProxy with its settings
  cart.canary.unit_set:
    units:
      - name: haproxy
        enabled: true
        running: true
        reload_on: [/etc/haproxy/haproxy.cfg]
"""

RETURN = r"""
steps:
  description: What was done; in check mode, what would be.
  returned: always
  type: list
  elements: str
due:
  description: Units with a file in C(report_on) that changed after they were started.
  returned: always
  type: list
  elements: str
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

FILES = {"type": "list", "elements": "path", "default": []}
UNIT = {
    "name": {"type": "str", "required": True},
    **{name: {"type": "bool"} for name in ("enabled", "masked", "running")},
    "needs": {"type": "path"},
    **dict.fromkeys(("restart_on", "reload_on", "stop_on", "report_on"), FILES),
}
RUNS = ("active", "activating", "reloading")
ENABLED = ("enabled", "enabled-runtime", "static", "indirect", "alias", "generated")
#: The command for changed files, and the timestamp since which the unit has read them. A reload
#: does not change the timestamp of the start. A slow start reads its files at its beginning.
VERBS = {
    "stop": "InactiveExitTimestamp",
    "restart": "InactiveExitTimestamp",
    "reload": "StateChangeTimestamp",
}
PROPERTIES = (
    *("Id", "ActiveState", "UnitFileState", "NeedDaemonReload", "DropInPaths"),
    *sorted(set(VERBS.values())),
)
DROP_INS = Path("/etc/systemd/system")
MOMENT = "%a %Y-%m-%d %H:%M:%S.%f %Z"
Unit = dict[str, Any]
State = dict[str, str]


class Systemd:
    """The states of units, read in one call, and again after each change."""

    def __init__(self, module: AnsibleModule, names: list[str]) -> None:
        self.module = module
        self.names = names
        self.states: dict[str, State] = {}

    def call(self, *words: str) -> str:
        status, output, errors = self.module.run_command(["systemctl", *words])
        if status != 0:
            message = f"systemctl {' '.join(words)} failed: {(errors or output).strip()}"
            self.module.fail_json(msg=message)
        return str(output)

    def state(self, name: str) -> State:
        if not self.states:
            wanted = f"--property={','.join(PROPERTIES)}"
            shown = self.call("show", "--timestamp=us+utc", wanted, "--", *self.names)
            blocks = (block.splitlines() for block in shown.strip().split("\n\n"))
            states = [dict(line.split("=", 1) for line in block) for block in blocks]
            self.states = dict(zip(self.names, states, strict=True))
        return self.states[name]

    def change(self, *words: str) -> None:
        if not self.module.check_mode:
            self.call(*words)
            self.states = {}


def seconds(moment: str) -> float:
    """Return a timestamp of systemd in seconds since 1970; 0 if it is not set."""
    return datetime.strptime(moment, MOMENT).replace(tzinfo=UTC).timestamp() if moment else 0.0


def changed_after(module: AnsibleModule, files: list[str], moment: str) -> list[str]:
    """Return the files that changed after a time, or that check mode would change."""
    if module.check_mode and set(files) & set(module.params["planned"]):
        return sorted(set(files) & set(module.params["planned"]))
    missing = [file for file in files if not Path(file).exists()]
    if missing and not module.check_mode:
        message = f"{', '.join(missing)} does not exist. Write it before this task."
        module.fail_json(msg=message)
    present = [file for file in files if file not in missing]
    return [file for file in present if Path(file).stat().st_ctime > seconds(moment)]


def apply_files(systemd: Systemd, unit: Unit) -> Iterator[str]:
    """Restart or reload a running unit if its files changed after it read them."""
    state = systemd.state(unit["name"])
    if state["ActiveState"] not in RUNS:
        return
    for verb, moment in VERBS.items():
        found = changed_after(systemd.module, unit[f"{verb}_on"], state[moment])
        if found:
            systemd.change(verb, unit["name"])
            yield f"{verb} {unit['name']}: {', '.join(found)} changed after it was read"
            return


def boot_steps(systemd: Systemd, unit: Unit) -> Iterator[str]:
    """Mask and enable a unit, or the opposite."""
    name = unit["name"]
    for wanted, verbs, states in (
        (unit["masked"], ("unmask", "mask"), ("masked", "masked-runtime")),
        (unit["enabled"], ("disable", "enable"), ENABLED),
    ):
        if wanted is not None and wanted != (systemd.state(name)["UnitFileState"] in states):
            systemd.change(verbs[wanted], name)
            yield f"{verbs[wanted]} {name}"


def run_step(systemd: Systemd, unit: Unit) -> Iterator[str]:
    """Start or stop a unit."""
    wanted, name = unit["running"], unit["name"]
    lacks = wanted and unit["needs"] and not Path(unit["needs"]).exists()
    if wanted is None or lacks or wanted == (systemd.state(name)["ActiveState"] in RUNS):
        return
    verb = "start" if wanted else "stop"
    systemd.change(verb, name)
    yield f"{verb} {name}"


def is_outdated(state: State) -> bool:
    """Return whether systemd must read a unit's files again.

    systemd itself does not notice a drop-in whose directory is new.
    """
    files = (DROP_INS / f"{state['Id']}.d").glob("*.conf")
    unread = {str(file) for file in files} - set(state["DropInPaths"].split())
    return bool(unread) or state["NeedDaemonReload"] == "yes"


def steps(systemd: Systemd, unit: Unit) -> Iterator[str]:
    yield from apply_files(systemd, unit)
    order = (boot_steps, run_step) if unit["running"] else (run_step, boot_steps)
    for step in order:
        yield from step(systemd, unit)


def main() -> None:
    units = {"type": "list", "elements": "dict", "required": True, "options": UNIT}
    module = AnsibleModule(
        argument_spec={"units": units, "planned": FILES}, supports_check_mode=True
    )
    systemd = Systemd(module, [unit["name"] for unit in module.params["units"]])
    if any(is_outdated(systemd.state(name)) for name in systemd.names):
        systemd.change("daemon-reload")
    done: list[str] = []
    due = []
    for unit in module.params["units"]:
        state = systemd.state(unit["name"])
        since = state["InactiveExitTimestamp"]
        if state["ActiveState"] in RUNS and changed_after(module, unit["report_on"], since):
            due.append(unit["name"])
        done += steps(systemd, unit)
    told = "".join(f"{step}\n" for step in done)
    module.exit_json(changed=bool(done), steps=done, due=due, diff={"prepared": told})


if __name__ == "__main__":
    main()
