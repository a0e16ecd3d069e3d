"""Schemathesis sends valid and invalid requests from the OpenAPI document.

``make test`` sends 500 requests, ``make test-processes`` and a job of GitHub 10,000 too.
"""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.app_http import ask
from tests.support.app_servers import Shop, postgres, redis, shop

pytestmark = [pytest.mark.timeout(1_800)]
SEED = 20261120
#: Number of parallel parts, because generating a request costs more than handling it.
PARTS = {
    "carts": ("--include-path-regex ^/cart(/checkout)?$", "coverage,fuzzing", 1_000),
    "others": ("--exclude-path-regex ^/cart(/checkout)?$", "coverage,fuzzing", 1_100),
    "sequences": ("", "stateful", 50),
}
#: 413 is the correct rejection of a body that is too large, whatever it holds.
SETTINGS = """
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "409", "413", "415", "422", "429"]
"""


def fuzz(name: str, url: str, directory: Path, share: float) -> subprocess.Popen[str]:
    """Start one part, which writes its output to ``name`` in the directory."""
    which, phases, examples = PARTS[name]
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", *which.split()]
    command += f"--phases {phases} --max-examples {round(share * examples)} --seed {SEED}".split()
    command += ["--no-shrink", "--continue-on-failure", "--warnings", "off"]
    # a busy machine is slow to generate and to respond; this test is not about speed
    command += ["--suppress-health-check", "all", "--request-timeout", "120"]
    own = directory / f"{name}-files"  # a separate database for each part
    own.mkdir()
    (own / "schemathesis.toml").write_text(SETTINGS, encoding="utf-8")
    with (directory / name).open("wb") as output:
        return subprocess.Popen(
            [*command, f"{url}/openapi.json"],
            cwd=own,
            text=True,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def answers(server: Shop) -> dict[int, int]:
    """Return the number of responses by status."""
    text = ask(f"{server.url}/metrics").text
    found: dict[int, int] = {}
    for status, count in re.findall(r'shop_requests_total\{.*status="(\d+)"\} (\S+)', text):
        found[int(status)] = found.get(int(status), 0) + int(float(count))
    return found


MANY = pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.rare])


@pytest.mark.parametrize("requests", [500, MANY])
def test_no_failure_and_no_violation(tmp_path: Path, requests: int) -> None:
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
        ExitStack() as ending,
    ):
        share = requests / 5_000
        parts = {name: fuzz(name, server.url, tmp_path, share) for name in PARTS}
        for part in parts.values():
            ending.callback(part.kill)
        statuses = {name: part.wait() for name, part in parts.items()}
        given = answers(server)
        log = server.log.read_text(encoding="utf-8")
    for name, status in statuses.items():
        assert status == 0, (tmp_path / name).read_text(encoding="utf-8")[-10_000:]
    assert sum(given.values()) >= requests, given
    assert given[200] > requests / 5, "most must not be refused at the door"
    assert not [status for status in given if status >= 500], given
    assert "Traceback" not in log
