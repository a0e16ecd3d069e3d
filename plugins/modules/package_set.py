#!/usr/bin/python
# Copyright (c) the cart-canary authors
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install missing Debian packages; if none is missing, do not open APT's cache.

ansible.builtin.apt opens APT's cache for this, and updates it first if it is a day old. This module
asks dpkg, and calls APT only for missing packages.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: package_set
short_description: Install Debian packages that are missing
description:
  - Reads from dpkg which packages are installed, and installs the others with one call of APT.
  - Updates APT's lists only if a package is missing and the lists are older than a day.
  - Never upgrades a package.
options:
  names:
    description: Names of the packages.
    type: list
    elements: str
    required: true
  recommends:
    description: Whether to install recommended packages too.
    type: bool
    default: true
author: [the cart-canary authors (@cart-canary)]
"""

EXAMPLES = r"""
- name: Install HAProxy
  cart.canary.package_set:
    names: [haproxy, sudo]
"""

RETURN = r"""
installed:
  description: Packages that were missing.
  returned: always
  type: list
  elements: str
"""

import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

LISTS = Path("/var/lib/apt/lists")
DAY = 24 * 3600
APT = ["apt-get", "--quiet", "--yes", "--option=DPkg::Lock::Timeout=120"]
ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}


def missing(module: AnsibleModule, names: list[str]) -> list[str]:
    """Return the packages that are not installed; dpkg-query is silent about unknown ones."""
    shown = "--showformat=${Package} ${db:Status-Status}\n"
    _status, output, _errors = module.run_command(["dpkg-query", "--show", shown, *names])
    installed = {line.split()[0] for line in output.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def apt(module: AnsibleModule, *words: str) -> None:
    status, output, errors = module.run_command([*APT, *words], environ_update=ENVIRONMENT)
    if status != 0:
        module.fail_json(msg=f"apt-get {' '.join(words)} failed: {(errors or output).strip()}")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "recommends": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    names = missing(module, module.params["names"])
    if names and not module.check_mode:
        if not LISTS.exists() or LISTS.stat().st_mtime < time.time() - DAY:
            apt(module, "update")
        recommends = "--install-recommends" if module.params["recommends"] else ""
        apt(module, "install", recommends or "--no-install-recommends", *names)
    told = "".join(f"install {name}\n" for name in names)
    module.exit_json(changed=bool(names), installed=names, diff={"prepared": told})


if __name__ == "__main__":
    main()
