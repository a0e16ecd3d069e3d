"""Schemathesis asks whatever the OpenAPI document allows, and what it does not, 5,000 times."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.app_http import ask
from tests.integration.app_servers import Shop, postgres, redis, shop

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1_200)]
SEED = 20261120
REQUESTS = 5_000


def answers(server: Shop) -> dict[int, int]:
    """How many answers of each status the shop has given."""
    text = ask(f"{server.url}/metrics").text
    found: dict[int, int] = {}
    for status, count in re.findall(r'shop_requests_total\{.*status="(\d+)"\} (\S+)', text):
        found[int(status)] = found.get(int(status), 0) + int(float(count))
    return found


def test_no_failure_and_no_violation_in_five_thousand_requests(tmp_path: Path) -> None:
    with (
        postgres() as database,
        redis() as cache,
        shop(
            tmp_path,
            SHOP_DATABASE_URL=database.url,
            SHOP_REDIS_URL=cache.url,
            SHOP_GIT_HOSTS="127.0.0.1:1",
            SHOP_LOG_REQUESTS="0",
        ) as server,
    ):
        command = [Path(sys.executable).with_name("schemathesis"), "run", "--seed", SEED]
        command += ["--max-examples", "1000", "--no-shrink", "--continue-on-failure"]
        command += ["--phases", "coverage,fuzzing,stateful", "--warnings", "off"]
        done = subprocess.run(
            [*map(str, command), f"{server.url}/openapi.json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        given = answers(server)
        log = server.log.read_text(encoding="utf-8")
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-1_000:]
    assert sum(given.values()) >= REQUESTS, given
    assert given[200] > REQUESTS / 5, "most must not be refused at the door"
    assert not [status for status in given if status >= 500], given
    assert "Traceback" not in log
