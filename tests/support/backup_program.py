"""The program of the role ``backup``, imported from its single file."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from tests.support.paths import ROOT

PROGRAM = ROOT / "roles/backup/files/shop_backup.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shop_backup", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
