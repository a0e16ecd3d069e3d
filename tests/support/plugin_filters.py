"""The filters of the collection, loaded from their files as Ansible does."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from typing import Any

from tests.support.paths import ROOT

PLUGINS = ROOT / "plugins"


def filter_of(file: str, name: str) -> Callable[..., Any]:
    """Return a filter of ``plugins/filter/FILE.py``."""
    path = PLUGINS / "filter" / f"{file}.py"
    spec = importlib.util.spec_from_file_location(f"{file}_filters", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look up their module by name
    spec.loader.exec_module(module)
    found: Callable[..., Any] = module.FilterModule().filters()[name]
    return found
