"""The kinds of a release: nothing, a directory, or the result of a build command."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from canary.artifact import Published, release
from canary.environment import ArtifactSettings
from canary.errors import ArtifactError
from tests.unit.canary.artifact_repository import Bucket, commit, git

SETTINGS: TypeAdapter[ArtifactSettings] = TypeAdapter(ArtifactSettings)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A repository whose build output git ignores."""
    path = tmp_path / "site"
    (path / "public").mkdir(parents=True)
    (path / "public/index.html").write_text("one\n")
    (path / ".gitignore").write_text("dist/\n")
    (path / "build.sh").write_text("mkdir -p dist && cp public/* dist/ && echo built >&2\n")
    git(path, "init", "-q")
    commit(path, "first")
    git(path, "tag", "v1")
    (path / "public/index.html").write_text("two\n")
    commit(path, "second")
    git(path, "tag", "v2")
    return path


def made(site: Path, ref: str, bucket: Bucket, **settings: Any) -> Published:
    return release(SETTINGS.validate_python(settings), site, ref, lambda: bucket, site.parent)


def files(bucket: Bucket, published: Published) -> dict[str, bytes]:
    body = bucket.fetch(published.url.removeprefix("s3://b/"))
    assert hashlib.sha256(body).hexdigest() == published.sha256
    found = {}
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            found[member.name] = content.read() if content else member.linkname.encode()
    return found


def refused(site: Path, ref: str, **settings: Any) -> str:
    with pytest.raises(ArtifactError) as error:
        made(site, ref, Bucket(), **settings)
    return str(error.value)


def test_none_names_a_commit_and_stores_nothing(site: Path) -> None:
    def nowhere() -> Bucket:
        raise AssertionError("nothing may be stored")

    found = release(SETTINGS.validate_python({"kind": "none"}), site, "v1", nowhere, site)
    head = git_says(site, "rev-parse", "v1")
    assert (found.name, found.release, found.commit) == ("v1", head[:12], head)
    assert (found.url, found.sha256) == ("", "")


def git_says(site: Path, *words: str) -> str:
    command = ["git", "-C", str(site), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("name", ["2026.11.3", "registry:5000/shop:1.4", "kernel-6.1.0-18"])
def test_none_takes_any_name_that_the_hook_understands(
    site: Path, tmp_path: Path, name: str
) -> None:
    for place in (site, tmp_path):  # in a repository, and outside of one
        found = made(place, name, Bucket(), kind="none")
        assert (found.name, found.release, found.commit) == (name, name, "")


@pytest.mark.parametrize("name", ["", "-rf", "a b", "$(reboot)", "a;b", "x" * 200])
def test_none_refuses_what_is_no_name(tmp_path: Path, name: str) -> None:
    assert "is neither a git ref here nor a name of a release" in refused(
        tmp_path, name, kind="none"
    )


def test_none_tells_changes_of_the_working_tree_apart(site: Path) -> None:
    names = [made(site, ".", Bucket(), kind="none").release]
    (site / "public/index.html").write_text("three\n")
    names.append(made(site, ".", Bucket(), kind="none").release)
    (site / "new").write_text("untracked\n")
    names.append(made(site, ".", Bucket(), kind="none").release)
    assert len(set(names)) == 3
    assert len({name[:12] for name in names}) == 1


def test_a_directory_is_packed_as_it_is_at_the_commit(site: Path) -> None:
    bucket = Bucket()
    first = made(site, "v1", bucket, kind="directory", path="public")
    assert files(bucket, first) == {"index.html": b"one\n"}
    assert first.release == git_says(site, "rev-parse", "v1")[:12]
    again = made(site, "v1", bucket, kind="directory", path="public")
    assert (again.url, again.sha256, again.reused) == (first.url, first.sha256, True)


def test_a_directory_that_somebody_changed_in_the_bucket_is_not_released(site: Path) -> None:
    bucket = Bucket()
    good = made(site, "v1", bucket, kind="directory", path="public")
    other = made(site, "v2", bucket, kind="directory", path="public")
    bucket.store(f"releases/{good.release}.tar.gz", bucket.fetch(other.url[len("s3://b/") :]), {})
    with pytest.raises(ArtifactError, match=r"index\.html is not what v1 has"):
        made(site, "v1", bucket, kind="directory", path="public")


def test_what_git_ignores_gets_in_when_asked(site: Path) -> None:
    (site / "dist").mkdir()
    (site / "dist/bundle.js").write_text("js\n")
    (site / "dist/latest.js").symlink_to("bundle.js")
    bucket = Bucket()
    assert "has no files in dist/" in refused(site, "v2", kind="directory", path="dist")
    found = made(site, "v2", bucket, kind="directory", path="dist", ignored=True)
    assert files(bucket, found) == {"bundle.js": b"js\n", "latest.js": b"bundle.js"}
    (site / "dist/bundle.js").write_text("another build of the same commit\n")
    again = made(site, "v2", bucket, kind="directory", path="dist", ignored=True)
    assert again.release != found.release
    assert again.commit == found.commit


def test_build_output_of_another_commit_is_refused(site: Path) -> None:
    (site / "dist").mkdir()
    (site / "dist/x").write_text("x")
    said = refused(site, "v1", kind="directory", path="dist", ignored=True)
    assert "v1 is not checked out. Run: git checkout v1" in said


def test_a_build_that_did_not_run_is_refused(site: Path) -> None:
    said = refused(site, "v2", kind="directory", path="dist", ignored=True)
    assert "There are no files in dist/ to release; run the build first" in said


@pytest.mark.parametrize("target", ["/etc/passwd", "../build.sh", "../../x"])
def test_a_link_out_of_the_directory_is_refused(site: Path, target: str) -> None:
    (site / "public/link").symlink_to(target)
    said = refused(site, ".", kind="directory", path="public")
    assert f"public/link is a link to {target}, outside of public" in said


BUILD = ["sh", "build.sh"]


@pytest.mark.parametrize("ref", ["v1", "v2"])
def test_a_command_builds_the_commit_and_not_what_is_on_disk(site: Path, ref: str) -> None:
    (site / "public/index.html").write_text("not committed\n")
    bucket = Bucket()
    found = made(site, ref, bucket, kind="command", command=BUILD, path="dist")
    assert files(bucket, found) == {"index.html": {"v1": b"one\n", "v2": b"two\n"}[ref]}
    assert found.commit == git_says(site, "rev-parse", ref)
    assert not (site / "dist").exists(), "the build leaves the repository alone"


def test_a_command_builds_the_working_tree_when_asked(site: Path) -> None:
    (site / "public/index.html").write_text("not committed\n")
    bucket = Bucket()
    found = made(site, ".", bucket, kind="command", command=BUILD, path="dist")
    assert files(bucket, found) == {"index.html": b"not committed\n"}


def test_a_command_may_print_the_path_of_one_file(site: Path) -> None:
    script = "echo making; echo {commit} > app.deb; echo app.deb"
    bucket = Bucket()
    found = made(site, "v1", bucket, kind="command", command=["sh", "-c", script])
    body = bucket.fetch(found.url.removeprefix("s3://b/"))
    assert body.decode().strip() == found.commit
    assert found.url == f"s3://b/releases/{found.release}/app.deb"
    assert found.sha256 == hashlib.sha256(body).hexdigest()
    again = made(site, "v1", bucket, kind="command", command=["sh", "-c", script])
    assert again.reused
    bucket.store(f"releases/{found.release}/app.deb", b"evil", {})
    with pytest.raises(ArtifactError, match=r"not the file app\.deb that was built now"):
        made(site, "v1", bucket, kind="command", command=["sh", "-c", script])


def test_a_command_runs_where_canary_does(site: Path) -> None:
    """In a repository of several apps, a policy may be in the directory of one app."""
    bucket = Bucket()
    found = made(
        site / "public",
        "v1",
        bucket,
        kind="command",
        command=["sh", "-c", "mkdir out; cp index.html out; echo out"],
    )
    assert files(bucket, found) == {"index.html": b"one\n"}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"command": ["no-such-program"]}, "The build command could not be started: "),
        (
            {"command": ["sh", "-c", "echo boom >&2; exit 3"]},
            "ended with status 3; its output",
        ),
        ({"command": ["sh", "-c", "echo boom >&2; exit 3"]}, "boom"),
        ({"command": ["true"]}, "The build command printed no path"),
        ({"command": ["true"], "path": "dist"}, "should have created dist"),
        ({"command": ["echo", "/etc/hostname"]}, "should have created /etc/hostname below"),
        ({"command": ["echo", "."]}, "should have created . below the repository"),
        ({"command": ["sleep", "9"], "timeout": 0.2}, "did not end within 0.2 s; it was stopped"),
        ({"command": ["sh", "-c", "head -c 9999 /dev/zero | tr '\\0' x"]}, "x [...] below"),
        ({"command": ["printf", r"a\0b"]}, "should have created a b below"),
        ({"command": ["printf", r"\033[31mred"]}, "should have created red below"),
        ({"command": ["sh", "-c", "mkfifo pipe; echo pipe"]}, "should have created pipe below"),
        ({"command": ["sh", "-c", "ln -s a a; echo a"]}, "should have created a below"),
    ],
)
def test_a_command_that_does_not_build_ends_with_a_sentence(
    site: Path, settings: dict[str, Any], sentence: str
) -> None:
    assert sentence in refused(site, "v1", kind="command", **settings)


def test_a_command_says_where_its_output_is(site: Path) -> None:
    said = refused(
        site, "v1", kind="command", command=["sh", "-c", "echo out; echo err >&2; exit 1"]
    )
    log = site.parent / f"build-{git_says(site, 'rev-parse', 'v1')[:12]}.log"
    assert f"its output is in {log} and ends with:\n" in said
    assert sorted(log.read_text().split()) == ["err", "out"]


def test_a_path_is_taken_from_the_standard_output_alone(site: Path) -> None:
    script = "cp public/index.html page; echo page; echo finished >&2"
    bucket = Bucket()
    found = made(site, "v1", bucket, kind="command", command=["sh", "-c", script])
    assert found.url.endswith("/page")


def test_a_python_app_may_have_another_directory_and_lock(site: Path) -> None:
    (site / "service").mkdir()
    (site / "service/main.py").write_text("x = 1\n")
    said = refused(site, ".", kind="python", directory="service", lock="service/lock.txt")
    assert "has no service/lock.txt, so its dependencies are unknown" in said
