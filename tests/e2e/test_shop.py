"""The deployed shop responds as documented."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.e2e.demo import address, answer
from tests.support.app_examples import answer_as_documented
from tests.support.app_http import ask
from tests.support.paths import ROOT

pytestmark = [pytest.mark.timeout(600)]
EMPTY = (
    "sudo -u postgres psql -qd shop -c 'TRUNCATE carts, orders, products'"
    " && sudo systemctl restart redis-server"
)


def test_the_documented_examples_answer_through_the_proxy(story: dict[str, Any]) -> None:
    """The release that the demonstration promoted answers them literally, without load."""
    assert story
    subprocess.run(["local-cloud", "ssh", "local-data-1", EMPTY], cwd=ROOT, check=True)
    url = f"http://{address('local-proxy-1')}"
    answer_as_documented(url)
    live = answer("canary", "status", "--env", "local", "--json")["live"]
    assert ask(f"{url}/carts").headers["x-colour"] == live
