"""List commits with real git over TLS, and reject dangerous URLs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import ProblemError
from app.services import commits as service
from app.services.commits import Commits
from app.settings import Settings
from tests.support.app_client import Client
from tests.support.app_git import AUTHORS, GitHandler, git_server

pytestmark = [pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings that allow one git server with a repository of seven commits."""
    with git_server(tmp_path_factory.mktemp("git")) as chosen:
        yield chosen


def url(remote: Settings, path: str = "/shop.git") -> str:
    return f"https://{remote.git_hosts[0]}{path}"


def test_commits_are_listed_newest_first(remote: Settings) -> None:
    commits, more = Commits(remote).page(url(remote), limit=50, skip=0)
    assert [each.subject for each in commits] == [
        f"Change {number}: caf\u00e9 \U0001f600" for number in range(AUTHORS, 0, -1)
    ]
    assert (commits[0].author, commits[0].date) == ("Ada", "2026-11-07T10:00:00+00:00")
    assert len(commits[0].hash) == 40
    assert not more


def test_pages_follow_one_another(remote: Settings) -> None:
    client = Client(remote)
    path = f"/list-commits?url={url(remote)}&limit=3"
    seen: list[str] = []
    while path:
        answer = client.get(path)
        assert answer.status == 200, answer.body
        seen += [each["subject"].partition(":")[0] for each in answer.json()]
        link = answer.headers.get("Link", "")
        path = "/list-commits" + link.partition(">")[0].lstrip("<") if link else ""
    assert seen == [f"Change {number}" for number in range(AUTHORS, 0, -1)]


REFUSED = [
    "",
    "file:///etc/passwd",
    "http://HOST/shop.git",
    "git://HOST/shop.git",
    "ssh://HOST/shop.git",
    "ext::sh -c touch% /tmp/pwned",
    "--upload-pack=touch /tmp/pwned",
    "-oProxyCommand=id",
    "https://user@HOST/shop.git",
    "https://user:password@HOST/shop.git",
    "https://HOST@127.0.0.1/shop.git",
    "https://127.0.0.1/shop.git",
    "https://127.0.0.1:22/",
    "https://169.254.169.254/latest/meta-data",
    "https://localhost/shop.git",
    "https://HOST.example.org/shop.git",
    "https://HOST",
    "https://HOST/",
    "https://HOST/../shop.git",
    "https://HOST/a/../shop.git",
    "https://HOST//shop.git",
    "https://HOST/-c/shop.git",
    "https://HOST/shop.git?service=x",
    "https://HOST/shop.git#x",
    "https://HOST/shop.git;x",
    "https://HOST/shop.git%0d%0aX:y",
    "https://HOST/shop.git\r\nX-Header: y",
    "https://HOST/sho\tp.git",
    "https://HOST/caf\u00e9.git",
    "https://[HOST]/shop.git",
    "https://HOST:99999/shop.git",
    "https://HOST/" + "x" * 300,
]


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_a_plain_address_of_a_known_host_asks_nothing(
    remote: Settings, address: str
) -> None:
    GitHandler.asked.clear()
    with pytest.raises(ProblemError) as refused:
        Commits(remote).page(address.replace("HOST", remote.git_hosts[0]), limit=1, skip=0)
    assert refused.value.status in (403, 422)
    assert refused.value.field == "url"
    assert GitHandler.asked == []


def test_a_redirect_is_not_followed(remote: Settings) -> None:
    GitHandler.asked.clear()
    with pytest.raises(ProblemError, match="git cannot read"):
        Commits(remote).page(url(remote, "/redirect"), limit=1, skip=0)
    assert GitHandler.asked
    assert all(path.startswith("/redirect") for path in GitHandler.asked)


def test_other_servers_that_a_server_names_are_not_asked(remote: Settings) -> None:
    GitHandler.asked.clear()
    with pytest.raises(ProblemError, match="git cannot read"):
        Commits(remote).page(url(remote, "/dumb"), limit=1, skip=0)
    assert GitHandler.asked
    assert all(path.startswith("/dumb") for path in GitHandler.asked)


def test_whatever_an_author_is_called_there_is_one_commit_of_four_fields(remote: Settings) -> None:
    (commit, *others), _ = Commits(remote).page(url(remote, "/odd.git"), limit=50, skip=0)
    assert commit.author.startswith("M\x1fallory\x1exxx")
    assert len(commit.author) == 200
    assert commit.subject == "Odd\x1e\x1f\x1eend"
    assert len(others) == AUTHORS


def test_what_is_not_there_says_nothing_of_the_server(remote: Settings) -> None:
    with pytest.raises(ProblemError) as missing:
        Commits(remote).page(url(remote, "/none.git"), limit=1, skip=0)
    closed = replace(remote, git_hosts=("127.0.0.1:1",))
    with pytest.raises(ProblemError) as unreachable:
        Commits(closed).page(url(closed), limit=1, skip=0)
    assert missing.value.detail == unreachable.value.detail == "git cannot read a repository there."


def test_an_unknown_certificate_is_refused(remote: Settings) -> None:
    with pytest.raises(ProblemError, match="git cannot read"):
        Commits(replace(remote, git_ca="")).page(url(remote), limit=1, skip=0)


def test_a_slow_server_is_left_and_only_one_is_read(
    remote: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "SECONDS", 1)
    reading = Commits(remote)
    failures: list[ProblemError] = []

    def read() -> None:
        try:
            reading.page(url(remote, "/slow"), limit=1, skip=0)
        except ProblemError as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 20
    assert sorted(error.status for error in failures) == [404, 429, 429]


def refusal(commits: Commits, address: str) -> ProblemError:
    with pytest.raises(ProblemError) as refused:
        commits.page(address, limit=1, skip=0)
    return refused.value


def test_without_git_the_instance_says_so_and_serves_on(
    remote: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = Commits(remote)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", "/nowhere")
        answer = refusal(reading, url(remote))
    assert (answer.status, answer.retry_after) == (503, 5)
    assert answer.detail == "This instance cannot run git now; try again."
    assert len(reading.page(url(remote), limit=1, skip=0)[0]) == 1


def test_a_git_that_the_kernel_ends_is_the_instances_trouble(
    remote: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\nkill -9 $$\n", encoding="utf-8")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(Commits(remote), url(remote)).status == 503


def test_a_large_repository_is_left(remote: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MEGABYTES", 0.001)
    with pytest.raises(ProblemError, match=r"over 0\.001 MB"):
        Commits(remote).page(url(remote), limit=1, skip=0)


def test_a_page_beyond_the_end_is_refused(remote: Settings) -> None:
    answer = Client(remote).get(f"/list-commits?url={url(remote)}&skip=1000")
    assert (answer.status, answer.json()["field"]) == (422, "skip")


def test_the_command_lists_them(remote: Settings) -> None:
    environment = {"SHOP_GIT_HOSTS": remote.git_hosts[0], "SHOP_GIT_CA": remote.git_ca}
    done = subprocess.run(
        [sys.executable, "-m", "app", "list-commits", url(remote), "--limit", "2"],
        env={"PATH": os.environ["PATH"], "SHOP_STATE_DIRECTORY": "/nowhere", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.split("Ada  ")[1][:8] for line in done.stdout.splitlines()] == [
        "Change 7",
        "Change 6",
    ]
