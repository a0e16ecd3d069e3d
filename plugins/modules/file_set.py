#!/usr/bin/python
# Copyright (c) the cart-canary authors
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a set of directories, files and links in one call.

Every new content is validated before the first file is replaced, and each file is replaced in one
step. A run that is cut off leaves old and new files, no half of one, and the next run finishes it.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: file_set
short_description: Write a set of directories, files and links in one call
description:
  - Changes what differs. New contents are all validated before the first file is replaced, so
    that a validation that fails leaves everything as it was.
  - Owner and group default to the user who runs the module; ACLs are not looked at.
options:
  directories:
    <<: &set {type: list, elements: dict, default: []}
    description: Made before the files.
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
    description: Symbolic links, made after the files.
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      target: {description: Where it points to., type: str, required: true}
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

import grp
import os
import pwd
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule

PATH = {"type": "path", "required": True}
TEXT = {"type": "str", "required": True}
RIGHTS = {"path": PATH, **{name: {"type": "str"} for name in ("owner", "group", "mode")}}
SECRET = {"type": "bool", "default": False}
FILE = {**RIGHTS, "content": TEXT, "validate": {"type": "str", "default": ""}, "secret": SECRET}
KINDS = {"directories": RIGHTS, "files": FILE, "links": {"path": PATH, "target": TEXT}}


class Rights(NamedTuple):
    mode: int
    owner: int | None  # nobody, where a plan would make the user first
    group: int | None

    def __str__(self) -> str:
        return f"mode {self.mode:04o}, owner {self.owner}, group {self.group}"


LINKED = Rights(0o777, None, None)


@dataclass
class Item:
    """An entry of the set, and what is at its path."""

    kind: str
    path: Path
    rights: Rights
    content: bytes = b""  # of a link its target
    validate: str = ""
    secret: bool = False
    old_content: bytes | None = None
    old_rights: Rights | None = None

    @property
    def replaced(self) -> bool:
        return self.content != self.old_content

    @property
    def differs(self) -> bool:
        return self.replaced or self.rights != self.old_rights


def number(find: Callable[[str], Any], name: str | None, default: int) -> int | None:
    try:
        return default if name is None else int(find(name)[2])
    except KeyError:
        return None


def rights(entry: dict[str, Any], default: str, *, plan: bool) -> Rights:
    mode, owner, group = entry["mode"] or default, entry["owner"], entry["group"]
    if not set(mode) <= set("01234567"):
        raise ValueError(f"mode of {entry['path']} is {mode}: write it in octal, as in 0644.")
    user = number(pwd.getpwnam, owner, os.geteuid())
    members = number(grp.getgrnam, group, os.getegid())
    if not plan and None in (user, members):
        raise ValueError(f"{entry['path']}: this host has no user {owner}, or no group {group}.")
    return Rights(int(mode, 8), user, members)


def items(params: dict[str, Any], *, plan: bool) -> list[Item]:
    """Return the set in the order in which it is written."""
    wanted = [
        Item("directory", Path(each["path"]), rights(each, "0755", plan=plan))
        for each in params["directories"]
    ]
    for each in params["files"]:
        item = Item("file", Path(each["path"]), rights(each, "0644", plan=plan))
        item.content, item.secret = each["content"].encode(), each["secret"]
        item.validate = each["validate"]
        wanted.append(item)
    for each in params["links"]:
        wanted += [Item("link", Path(each["path"]), LINKED, each["target"].encode())]
    paths = [item.path for item in wanted]
    for path in paths:
        if not path.is_absolute() or paths.count(path) > 1:
            raise ValueError(f"{path}: name each path once, and from the root.")
    return wanted


def look(item: Item) -> None:
    """Read what is at the path. Files and links may replace each other, but not a directory."""
    try:
        found = item.path.stat() if item.kind == "directory" else item.path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode) != (item.kind == "directory"):
        raise ValueError(f"{item.path} is to be a {item.kind}, and is something else. Move it.")
    if item.kind == "link":
        item.old_rights = LINKED
        item.old_content = os.fsencode(item.path.readlink()) if item.path.is_symlink() else None
        return
    item.old_rights = Rights(stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)
    if item.kind == "directory":
        item.old_content = b""
    elif stat.S_ISREG(found.st_mode):
        item.old_content = item.path.read_bytes()


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
        raise ValueError(f"{item.path} is not valid, and nothing was changed: {said}")


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


def diffs(item: Item) -> Iterator[dict[str, str]]:
    """Return the differences in the format of --diff."""
    if item.rights != item.old_rights:
        yield {"prepared": f"{item.path}: {item.old_rights or 'absent'} -> {item.rights}\n"}
    if item.secret and item.replaced:
        yield {"prepared": f"{item.path}: new content, which is secret\n"}
    elif item.replaced and item.kind != "directory":
        texts = {"before": item.old_content or b"", "after": item.content}
        shown = {name: text.decode(errors="replace") for name, text in texts.items()}
        yield {**shown, "before_header": str(item.path), "after_header": str(item.path)}


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
