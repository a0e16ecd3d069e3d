#!/usr/bin/python
# Copyright (c) the cart-canary authors
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a set of directories, files and links in one call.

Every new content is validated before the first file is replaced, and each file is replaced in one
step. An interrupted run leaves old and new files but no incomplete one, and the next run
finishes it.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: file_set
short_description: Write a set of directories, files and links in one call
description:
  - Changes only what differs. All new contents are validated before the first file is replaced,
    so a failed validation changes nothing.
  - Owner and group default to those of the user who runs the module. ACLs are ignored.
options:
  directories:
    <<: &set {type: list, elements: dict, default: []}
    description: Directories, created before the files.
    suboptions:
      <<: &rights
        path: {description: Absolute path., type: path, required: true}
        owner: {description: Name of the owner., type: str}
        group: {description: Name of the group., type: str}
        mode: {description: "In octal; default 0755 for a directory, 0644 for a file.", type: str}
  files:
    <<: *set
    description: Files with their content.
    suboptions:
      <<: *rights
      content: {description: The whole text., type: str, required: true}
      validate:
        description: Command that checks a copy of the content, at C(%s).
        type: str
        default: ''
      secret: {description: Hides the content from all output., type: bool, default: false}
  links:
    <<: *set
    description: Symbolic links, created after the files.
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      target: {description: Path that the link points to., type: str, required: true}
author: [the cart-canary authors (@cart-canary)]
"""

EXAMPLES = r"""
- name: Write the settings of SSH
  cart.canary.file_set:
    files:
      - path: /etc/ssh/sshd_config.d/10-hardened.conf
        content: "{{ lookup('ansible.builtin.template', 'sshd.conf.j2') }}"
        validate: sshd -t -f %s
"""

RETURN = r"""
written:
  description: Paths that were changed; in check mode, paths that would be.
  returned: always
  type: list
  elements: str
"""

import os
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cart.canary.plugins.module_utils.file_items import (
    Item,
    Rights,
    diffs,
    items,
    look,
)

PATH = {"type": "path", "required": True}
TEXT = {"type": "str", "required": True}
RIGHTS = {"path": PATH, **{name: {"type": "str"} for name in ("owner", "group", "mode")}}
SECRET = {"type": "bool", "default": False}
FILE = {**RIGHTS, "content": TEXT, "validate": {"type": "str", "default": ""}, "secret": SECRET}
KINDS = {"directories": RIGHTS, "files": FILE, "links": {"path": PATH, "target": TEXT}}


def check(module: AnsibleModule, item: Item) -> None:
    """Validate the new content in a private copy."""
    if "%s" not in item.validate:
        raise ValueError(f"validate of {item.path} has no %s: {item.validate}")
    with tempfile.NamedTemporaryFile(dir=module.tmpdir, suffix=item.path.suffix) as copy:
        copy.write(item.content)
        copy.flush()
        status, output, errors = module.run_command(item.validate.replace("%s", copy.name))
    if status != 0:
        said = "its output is hidden" if item.secret else f"{output}{errors}".strip()
        raise ValueError(f"{item.path} is not valid, so nothing was changed: {said}")


def give(path: Path, wanted: Rights) -> None:
    os.chown(path, wanted.owner or 0, wanted.group or 0)
    path.chmod(wanted.mode)


def stage(item: Item, place: Path) -> None:
    """Write a new file or link beside its path."""
    if item.kind == "link":
        place.symlink_to(os.fsdecode(item.content))
        return
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(item.content)
        give(place, item.rights)
        file.flush()
        os.fsync(file.fileno())


def write(differing: list[Item], done: list[str]) -> None:
    """Create directories, write each new file beside its path, then replace the old files."""
    for item in (each for each in differing if each.kind == "directory"):
        item.path.mkdir(mode=0o755, parents=True, exist_ok=True)
        give(item.path, item.rights)
        done.append(str(item.path))
    rest = [each for each in differing if each.kind != "directory"]
    new = {item.path: item.path.with_name(f".{item.path.name}.{os.getpid()}") for item in rest}
    try:
        for item in (each for each in rest if each.replaced):
            stage(item, new[item.path])
        for item in rest:
            if item.replaced:
                new[item.path].replace(item.path)
            else:
                give(item.path, item.rights)
            done.append(str(item.path))
    finally:
        for place in new.values():
            place.unlink(missing_ok=True)


def main() -> None:
    lists = {"type": "list", "elements": "dict", "default": []}
    spec = {name: {**lists, "options": options} for name, options in KINDS.items()}
    # no_log: the journal of the host must not hold whole files, and some are secret.
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True, no_log=True)
    done: list[str] = []
    for each in module.params["files"]:
        module.no_log_values.update({each["content"]} if each["secret"] else ())
    try:
        wanted = items(module.params, plan=module.check_mode)
        for item in wanted:
            look(item)
        differing = [item for item in wanted if item.differs]
        if not module.check_mode:
            for item in (each for each in differing if each.replaced and each.validate):
                check(module, item)
            write(differing, done)
    except (ValueError, OSError) as error:
        module.fail_json(msg=str(error), changed=bool(done), written=done)
    diff = [part for item in differing for part in diffs(item)]
    paths = [str(item.path) for item in differing]
    module.exit_json(changed=bool(paths), written=paths, diff=diff)


if __name__ == "__main__":
    main()
