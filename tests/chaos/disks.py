"""A full disk, without filling this machine's: a small file system is put over a directory.

Hosts share the controller's disk, so a directory that a service writes to gets a tmpfs of its
own, with what was in it, and that is filled to the last byte.
"""

from __future__ import annotations

from tests.chaos.hosts import on

SPARE = 64
"""Kilobytes that a directory's own content may grow by until nothing is left."""


def fill(host: str, directory: str) -> None:
    """Leave no byte in a directory; what it holds stays, and whoever has it open keeps that."""
    on(
        host,
        f"set -eu; used=$(du -sk {directory} | cut -f1); mkdir -p /run/chaos; "
        f"mount -t tmpfs -o mode=755,size=$((used + {SPARE}))k chaos /run/chaos; "
        f"chown --reference={directory} /run/chaos; chmod --reference={directory} /run/chaos; "
        f"cp -a {directory}/. /run/chaos/; mount --move /run/chaos {directory}; "
        f"dd if=/dev/zero of={directory}/chaos-filler bs=1k 2>/dev/null || true; "
        f"test $(stat -f -c %a {directory}) -eq 0",
    )


def empty(host: str, directory: str) -> None:
    """Take the small file system away; what was changed on it goes to the disk."""
    on(
        host,
        f"set -eu; rm -f {directory}/chaos-filler; mkdir -p /run/chaos; "
        f"cp -a {directory}/. /run/chaos/; umount --lazy {directory}; "
        f"find {directory} -mindepth 1 -delete; cp -a /run/chaos/. {directory}/; rm -rf /run/chaos",
    )
