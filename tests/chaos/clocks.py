"""A wrong clock for one service, because all hosts share the kernel clock."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.chaos.hosts import machine, on

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), Path("/absent"))
THERE = "/opt/libfaketime.so"
DROPIN = "/run/systemd/system/shop.service.d/chaos.conf"


def skew(host: str, seconds: int) -> None:
    """Restart the shop of a host with a wall clock that is ``seconds`` ahead (or behind)."""
    leader = machine(host).leader
    subprocess.run(["cp", str(LIBRARY), f"/proc/{leader}/root{THERE}"], check=True)
    lines = (
        "[Service]",
        f"Environment=LD_PRELOAD={THERE}",
        f"Environment=FAKETIME={seconds:+d}s FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1",
    )
    Path(f"/proc/{leader}/root{DROPIN}").parent.mkdir(parents=True, exist_ok=True)
    Path(f"/proc/{leader}/root{DROPIN}").write_text("\n".join([*lines, ""]))
    on(host, "systemctl daemon-reload; systemctl restart shop")


def right(host: str) -> None:
    on(host, f"rm -f {DROPIN} {THERE}; systemctl daemon-reload; systemctl restart shop")
