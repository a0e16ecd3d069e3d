# Copyright (c) the cart-canary authors
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directories, files and links of a set: what is wanted, what exists, and what differs."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


class Rights(NamedTuple):
    mode: int
    owner: int | None  # None in check mode if the user does not exist yet
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
    content: bytes = b""  # for a link, its target
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
            raise ValueError(f"{path}: use absolute paths, and name each path once.")
    return wanted


def look(item: Item) -> None:
    """Read what is at the path. A file and a link may replace each other, but not a directory."""
    try:
        found = item.path.stat() if item.kind == "directory" else item.path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode) != (item.kind == "directory"):
        raise ValueError(f"{item.path} should be a {item.kind}, but is something else. Move it.")
    if item.kind == "link":
        item.old_rights = LINKED
        item.old_content = os.fsencode(item.path.readlink()) if item.path.is_symlink() else None
        return
    item.old_rights = Rights(stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)
    if item.kind == "directory":
        item.old_content = b""
    elif stat.S_ISREG(found.st_mode):
        item.old_content = item.path.read_bytes()


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
