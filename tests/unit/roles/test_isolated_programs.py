"""Programs of root and of services ignore Python modules of the caller: ``python3 -I``."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.ansible_templates import render
from tests.support.paths import ROOT

FILES = ROOT / "roles/proxy/files"
PROGRAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "shop-traffic": (
        "proxy",
        {"__proxy_library": str(FILES), "__proxy_function": "main"},
    ),
    "shop-traffic-ssh": (
        "proxy",
        {"__proxy_library": str(FILES), "__proxy_function": "door"},
    ),
    "shop-backup": (
        "backup",
        {"__backup_program": str(ROOT / "roles/backup/files/shop_backup.py")},
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_imports_no_module_of_its_caller(name: str, tmp_path: Path) -> None:
    role, variables = PROGRAMS[name]
    template = "shop-backup.j2" if role == "backup" else "shop-traffic.j2"
    program = tmp_path / name
    program.write_text(render(role, template, **variables), encoding="utf-8")
    program.chmod(0o755)
    planted = tmp_path / "planted"
    planted.mkdir()
    for module in ("json", "re", "argparse", "sitecustomize"):
        code = f"open({str(tmp_path / 'imported')!r}, 'w').close()\n"
        (planted / f"{module}.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [str(program), "--help"],
        cwd=planted,
        env={**os.environ, "PYTHONPATH": str(planted)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert name.removesuffix("-ssh") in done.stdout + done.stderr
    assert not (tmp_path / "imported").exists()
