"""The imports of `canary`: help starts at once, and a missing library is named."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from canary.cli.assemble import board_of, source_of, state_of
from canary.environment import parse_environment
from canary.errors import ExtraError
from canary.sources.prometheus_api import signed
from tests.unit.canary.test_environment import GOOD

HEAVY = ("boto3", "botocore", "jinja2", "matplotlib", "numpy", "pydantic", "rich", "scipy")
HELP = """
import click
from canary.cli import cli
assert "rollback" in cli.get_help(click.Context(cli, info_name="canary"))
"""


@pytest.mark.parametrize("code", ["import canary", HELP])
def test_help_imports_no_heavy_library(code: str) -> None:
    words = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sorted(sys.modules))"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert set(HEAVY) & set(done.stdout.split()) == set()


def test_a_run_has_loaded_at_its_start_what_it_tells_at_its_end() -> None:
    """An update of the package during a canary broke its last lines, after the promotion."""
    code = "import sys, canary.cli.run\nprint('canary.offline.plan.achieved' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


DASHBOARD = {"name": "release", "namespace": "Shop", "metric": "Weight"}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda found: source_of(found, 60), "The source cloudwatch needs boto3"),
        (state_of, "State in AWS needs boto3"),
        (board_of, "The dashboard needs boto3"),
    ],
)
def test_without_boto3_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, make: Any, sentence: str
) -> None:
    environment = parse_environment({**GOOD, "dashboard": DASHBOARD})
    for name in ("sources.cloudwatch", "state.aws", "state.board", "state.tables"):
        monkeypatch.delitem(sys.modules, f"canary.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ExtraError, match=sentence) as raised:
        make(environment)
    assert "pip install 'cart-canary[cloudwatch]'" in str(raised.value)


def test_without_botocore_a_signed_request_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "botocore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(ExtraError, match=r"\(sigv4\) needs botocore.*cart-canary\[cloudwatch\]"):
        signed(None, "http://p", b"", {})  # type: ignore[arg-type]
