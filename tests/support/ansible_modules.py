"""Run a module of plugins/modules like Ansible, in this process and as this user."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import sys
from types import ModuleType
from typing import Any

import ansible_collections
import pytest
from ansible.module_utils.testing import patch_module_args

from tests.support.paths import ROOT

MODULES = ROOT / "plugins/modules"
# Modules import plugins/module_utils by its full name, like those of any collection.
ansible_collections.__path__.append(str(ROOT / ".collections/ansible_collections"))


def load(name: str) -> ModuleType:
    path = MODULES / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look up their module by name
    spec.loader.exec_module(module)
    return module


def run(module: ModuleType, *, check: bool = False, **parameters: Any) -> dict[str, Any]:
    """Return the result of the module, also if it fails."""
    told = io.StringIO()
    given = {**parameters, "_ansible_check_mode": check, "_ansible_diff": True}
    with patch_module_args(given), contextlib.redirect_stdout(told), pytest.raises(SystemExit):
        module.main()
    answer: dict[str, Any] = json.loads(told.getvalue())
    return answer
