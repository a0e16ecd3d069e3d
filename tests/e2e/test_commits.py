"""The deployed shop lists commits, with its settings as they are, in the sandbox of its unit."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.answer import Answer
from tests.support.app_git import AUTHORS, git_server
from tests.support.app_http import ask
from tests.support.session_cloud import SessionCloud
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
SITE = "github.com"
TRUSTED = "/usr/local/share/ca-certificates/test.crt"


@pytest.fixture
def addressed(cloud: SessionCloud, tmp_path: Path) -> Iterator[SessionCloud]:
    """App hosts reach a repository at SITE on this machine, and trust its certificate."""
    gateway = str(cloud.settings.gateway)
    hosts = [name for name in cloud.hosts() if name.startswith("local-app-")]
    with git_server(tmp_path, (gateway, 443), SITE):
        certificate = base64.b64encode((tmp_path / "certificate.pem").read_bytes()).decode()
        trust = f"echo {certificate} | base64 --decode > {TRUSTED}; update-ca-certificates"
        try:
            for host in hosts:
                cloud.ssh(host, f"echo {gateway} {SITE} >> /etc/hosts; {trust}")
            yield cloud
        finally:
            forget = f'sed -i "/ {SITE}$/d" /etc/hosts; rm -f {TRUSTED}'
            for host in hosts:
                cloud.ssh(host, f"{forget}; update-ca-certificates --fresh")


def listed(url: str) -> list[Answer]:
    """Return the list of commits, or None for any other response."""
    answer = ask(url, timeout=20)
    return [answer] if answer.status == 200 else []


def test_the_shop_lists_commits_through_the_proxy(addressed: SessionCloud) -> None:
    proxy = addressed.hosts()["local-proxy-1"]
    url = f"http://{proxy}/list-commits?url=https://{SITE}/shop.git"
    # On a busy machine, git may take longer than the shop waits for it.
    (answer,) = wait_for(lambda: listed(url), "the shop lists commits", 180)
    assert answer.headers["x-colour"] == addressed.status()["live"]
    subjects = [each["subject"].partition(":")[0] for each in answer.json()]
    assert subjects == [f"Change {number}" for number in range(AUTHORS, 0, -1)]
    missing = ask(f"http://{proxy}/list-commits?url=https://{SITE}/none.git", timeout=20)
    assert (missing.status, missing.json()["field"]) == (404, "url")
    refused = ask(f"http://{proxy}/list-commits?url=https://127.0.0.1/shop.git", timeout=20)
    assert (refused.status, refused.json()["field"]) == (403, "url")
