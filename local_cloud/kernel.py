"""Two kernel settings that hosts need, and their original values.

The original values are stored under /run for all clouds of the machine. The last cloud restores
them.
"""

from pathlib import Path

REMEMBERED = Path("/run/cart-canary")
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
# Each systemd uses five or six of them. The limit of root is 128, so the 22nd host would hang.
WATCHES = Path("/proc/sys/fs/inotify/max_user_instances")
WANTED = {FORWARDING: 1, WATCHES: 4096}


def tune(wanted: dict[Path, int] | None = None, remembered: Path = REMEMBERED) -> None:
    """Raise each setting to the required value, and store the original value."""
    remembered.mkdir(exist_ok=True)
    for setting, value in (WANTED if wanted is None else wanted).items():
        note = remembered / setting.name
        if not note.exists():
            note.write_text(setting.read_text())
        if int(setting.read_text()) < value:
            setting.write_text(f"{value}\n")


def restore(wanted: dict[Path, int] | None = None, remembered: Path = REMEMBERED) -> None:
    """Restore the original values."""
    for setting in WANTED if wanted is None else wanted:
        note = remembered / setting.name
        if note.exists():
            setting.write_text(note.read_text())
            note.unlink()
    if remembered.exists():
        remembered.rmdir()
