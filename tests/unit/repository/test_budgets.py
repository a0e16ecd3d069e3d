"""Files, functions and roles stay within the limits of their size."""

from __future__ import annotations

import ast
import statistics
import subprocess
from collections.abc import Iterator

import yaml

from tests.support.paths import ROOT

MODULE_LINES, FUNCTION_LINES, MEDIAN_LINES = 250, 40, 10
TASK_FILE_LINES, ROLE_VARIABLES, DEFAULTS = 60, 12, 100


def tracked(*patterns: str) -> list[str]:
    command = ["git", "-C", str(ROOT), "ls-files", "--", *patterns]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return [name for name in listed if (ROOT / name).is_file()]


def lines(name: str) -> int:
    return len((ROOT / name).read_text(encoding="utf-8").splitlines())


def functions() -> Iterator[tuple[str, int]]:
    """Yield each function of the repository, with its lines without the docstring."""
    for name in tracked("*.py"):
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                said = node.body[0] if ast.get_docstring(node) is not None else None
                docstring = (said.end_lineno or 0) - said.lineno + 1 if said else 0
                length = (node.end_lineno or 0) - node.lineno + 1 - docstring
                yield f"{name}: {node.name}", length


def test_modules_are_short() -> None:
    modules = tracked("*.py")
    assert len(modules) > 100
    assert {name: lines(name) for name in modules if lines(name) > MODULE_LINES} == {}


def test_functions_are_short() -> None:
    found = list(functions())
    assert {name: length for name, length in found if length > FUNCTION_LINES} == {}
    assert statistics.median(length for _, length in found) < MEDIAN_LINES


def test_task_files_are_short() -> None:
    files = tracked("roles/*/tasks/*.yml")
    assert len(files) > 20
    assert {name: lines(name) for name in files if lines(name) > TASK_FILE_LINES} == {}


def test_roles_have_few_variables() -> None:
    counts = {}
    for name in tracked("roles/*/meta/argument_specs.yml"):
        specs = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["argument_specs"]
        counts[name] = len(specs["main"].get("options", {}))
    assert len(counts) > 10
    assert {name: count for name, count in counts.items() if count > ROLE_VARIABLES} == {}


def test_the_repository_has_few_defaults() -> None:
    files = tracked("roles/*/defaults/main.yml")
    parsed = [yaml.safe_load((ROOT / name).read_text(encoding="utf-8")) or {} for name in files]
    assert 0 < sum(len(one) for one in parsed) <= DEFAULTS
