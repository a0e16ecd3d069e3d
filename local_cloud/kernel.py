"""The two settings of the kernel that hosts need, and what they were before.

What they were is noted under /run, for all clouds of the machine together; the last cloud to
go puts it back.
"""

from pathlib import Path

REMEMBERED = Path("/run/cart-canary")
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
# Every systemd watches with five or six of them, and root has 128: the 22nd host would hang.
WATCHES = Path("/proc/sys/fs/inotify/max_user_instances")
WANTED = {FORWARDING: 1, WATCHES: 4096}


def tune(wanted: dict[Path, int] | None = None, remembered: Path = REMEMBERED) -> None:
    """Raise each setting to what is wanted, and remember what it was before the first cloud."""
    remembered.mkdir(exist_ok=True)
    for setting, value in (WANTED if wanted is None else wanted).items():
        note = remembered / setting.name
        if not note.exists():
            note.write_text(setting.read_text())
        if int(setting.read_text()) < value:
            setting.write_text(f"{value}\n")


def restore(wanted: dict[Path, int] | None = None, remembered: Path = REMEMBERED) -> None:
    """Put the settings back."""
    for setting in WANTED if wanted is None else wanted:
        note = remembered / setting.name
        if note.exists():
            setting.write_text(note.read_text())
            note.unlink()
    if remembered.exists():
        remembered.rmdir()
