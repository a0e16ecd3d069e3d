"""A full disk: a small file system is mounted over a directory and filled.

Hosts share the disk of the controller. So a directory of a service gets its own tmpfs with the same
files, which is filled to the last byte. It is mounted in the host's own mount namespace. A
sandboxed unit has another one: a running unit gets the host's mounts and unmounts, and a unit that
starts again starts on the full disk.
"""

from __future__ import annotations

from tests.chaos.hosts import on

SPARE = 64
"""Kilobytes by which the content of a directory may grow until the disk is full."""

COMMON = """
directory={directory} unit={unit}
is_small() {{ grep -q " $directory .* chaos " "/proc/$1/mountinfo"; }}
main() {{ test -z "$unit" && echo 0 || systemctl show --property=MainPID --value "$unit"; }}
"""
FILL = """
used=$(du -sk $directory | cut -f1)
rm -rf /dev/shm/chaos
cp -a $directory /dev/shm/chaos
mount -t tmpfs -o mode=755,size=$((used + {spare}))k chaos $directory
cp -a /dev/shm/chaos/. $directory/
rm -rf /dev/shm/chaos
dd if=/dev/zero of=$directory/chaos-filler bs=1k 2>/dev/null || true
test $(stat -f -c %a $directory) -eq 0
for _ in $(seq 50); do
  pid=$(main)
  if test "$pid" = 0 || is_small "$pid"; then exit 0; fi
  sleep 0.1
done
echo "$unit does not see the full disk"
exit 1
"""
EMPTY = """
is_small self || exit 0
rm -f $directory/chaos-filler
rm -rf /dev/shm/chaos
cp -a $directory /dev/shm/chaos
umount --lazy $directory
(cd $directory; find . -type f) | while read -r file; do
  test -e "/dev/shm/chaos/$file" || rm -f "$directory/$file"
done
cp -a /dev/shm/chaos/. $directory/
rm -rf /dev/shm/chaos
pid=$(main)
if test "$pid" != 0 && is_small "$pid"; then systemctl restart "$unit"; fi
"""


def fill(host: str, directory: str, unit: str = "") -> None:
    """Fill a directory completely; existing and open files stay, and a running unit sees it."""
    on(host, "sh -eu", filling(directory, unit))


def empty(host: str, directory: str, unit: str = "") -> None:
    """Unmount the small file system; copy changes and deletions to the disk.

    A unit that started on the small file system keeps it, so it is restarted.
    """
    on(host, "sh -eu", emptying(directory, unit))


def filling(directory: str, unit: str) -> str:
    return COMMON.format(directory=directory, unit=unit) + FILL.format(spare=SPARE)


def emptying(directory: str, unit: str) -> str:
    return COMMON.format(directory=directory, unit=unit) + EMPTY
