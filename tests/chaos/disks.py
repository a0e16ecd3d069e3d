"""A full disk: a small file system is mounted over a directory and filled.

Hosts share the disk of the controller. So a directory of a service gets its own tmpfs with the same
files, which is filled to the last byte.
"""

from __future__ import annotations

from tests.chaos.hosts import on

SPARE = 64
"""Kilobytes by which the content of a directory may grow until the disk is full."""


FILL = """
used=$(du -sk {directory} | cut -f1)
cp -a {directory} /dev/shm/chaos
mount -t tmpfs -o mode=755,size=$((used + {spare}))k chaos {directory}
cp -a /dev/shm/chaos/. {directory}/
rm -rf /dev/shm/chaos
dd if=/dev/zero of={directory}/chaos-filler bs=1k 2>/dev/null || true
test $(stat -f -c %a {directory}) -eq 0
"""
EMPTY = """
rm -f {directory}/chaos-filler
cp -a {directory} /dev/shm/chaos
umount --lazy {directory}
(cd {directory}; find . -type f) | while read -r file; do
  test -e "/dev/shm/chaos/$file" || rm -f "{directory}/$file"
done
cp -a /dev/shm/chaos/. {directory}/
rm -rf /dev/shm/chaos
"""


def fill(host: str, directory: str, unit: str = "") -> None:
    """Fill a directory completely; existing and open files stay."""
    _run(host, FILL.format(directory=directory, spare=SPARE), unit)


def empty(host: str, directory: str, unit: str = "") -> None:
    """Unmount the small file system; copy changes and deletions to the disk."""
    _run(host, EMPTY.format(directory=directory), unit)


def _run(host: str, script: str, unit: str) -> None:
    """Run a command in the mount namespace of the unit, because a sandboxed unit has its own."""
    process = f"$(systemctl show --property=MainPID --value {unit})"
    enter = f"nsenter --mount --target {process} " if unit else ""
    on(host, f"{enter}sh -eu", script)
