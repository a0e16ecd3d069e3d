"""``make demo`` without root: the whole demonstration with processes leaves nothing behind.

The ordinary user has no rights, no home and no /usr/sbin in the PATH, and works in a clone of the
working tree.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support import proxy_process, wheels
from tests.support.marks import needs_haproxy
from tests.support.paths import ROOT, short_directory
from tests.support.waiting import wait_for

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1800),
    needs_haproxy,
]
NOBODY = 65534
USER = NOBODY if os.getuid() == 0 else os.getuid()
MARK = b"CART_CANARY_DEMONSTRATION="
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
#: The same as the command that an installed entry point would run.
CANARY = "#!{python}\nfrom canary.cli import main\nmain()\n"
PIPES: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
VERSION = "import sys; print(*sys.version_info[:2])"


def ordinary(*command: str, clone: Path, **options: Any) -> subprocess.Popen[str]:
    """Start a command in the clone as the user, who cannot get rights back.

    Ctrl-C ends it even if these tests run in a shell's background, where signals are ignored.
    """
    return subprocess.Popen(
        ["env", "--default-signal=INT", "setpriv", "--no-new-privs", *command],
        cwd=clone,
        env=ENVIRONMENT,
        text=True,
        user=USER if os.getuid() == 0 else None,
        group=USER if os.getuid() == 0 else None,
        extra_groups=[] if os.getuid() == 0 else None,
        **options,
    )


def python_of_everybody() -> str:
    """Return an interpreter of this version that the user may run."""
    for found in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        with suppress(OSError):
            process = ordinary(found, "-c", VERSION, clone=Path("/"), **PIPES)
            if process.communicate()[0].split() == [str(n) for n in sys.version_info[:2]]:
                return found
    pytest.skip(f"no Python {sys.version_info[0]}.{sys.version_info[1]} that every user may run")


def environment(clone: Path) -> None:
    """Make the clone's virtual environment from the packages installed for the tests."""
    python = python_of_everybody()
    command = [python, "-m", "venv", "--without-pip", str(clone / ".venv")]
    subprocess.run(command, check=True)
    packages = sysconfig.get_path("purelib")
    (site,) = (clone / ".venv/lib").glob("*/site-packages")
    if python != os.path.realpath(sys.executable):  # Python before 3.11.3 needs it for redis
        wheels.pip("install", "--target", site, "async-timeout")
    (site / "tests.pth").write_text(f"{clone}\nimport site; site.addsitedir({packages!r})\n")
    program = clone / ".venv/bin/canary"
    program.write_text(CANARY.format(python=clone / ".venv/bin/python"))
    program.chmod(0o755)
    for name in (".installed", ".installed-dev"):
        (clone / ".venv" / name).touch()


@pytest.fixture
def clone() -> Iterator[Path]:
    """A git checkout of the tracked files, which belongs to the user."""
    with tempfile.TemporaryDirectory(prefix="demonstration-") as name:
        path = Path(name)
        wheels.checkout(path, links=True)
        git = ["git", "-C", name, "-c", "user.name=t", "-c", "user.email=t@t"]
        for words in (["init", "-q"], ["add", "--all"], ["commit", "-qm", "one"]):
            subprocess.run([*git, *words], check=True)
        environment(path)
        if os.getuid() == 0:
            subprocess.run(["chown", "-hR", f"{USER}:{USER}", name], check=True)
        yield path


DEMO = (".venv/bin/python", "-m", "tests.e2e.demo")


def left() -> list[str]:
    """Return the processes and directories of the user's demonstration that are left."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if place.stat().st_uid == USER and MARK in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_text())
    for place in Path(tempfile.gettempdir()).glob("cart-canary-*"):
        with suppress(OSError):
            found += [str(place)] if place.stat().st_uid == USER else []
    return found


@contextmanager
def started(clone: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the demonstration, and wait for its load."""
    log = clone / "output.txt"
    with log.open("w") as output:
        process = ordinary(*DEMO, clone=clone, stdout=output, stderr=output)
    try:

        def loaded() -> bool:
            assert process.poll() is None, log.read_text()
            return "Locust sends" in log.read_text()

        wait_for(loaded, "the load", 600, pause=1)
        assert left()
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.rare
def test_an_ordinary_user_sees_the_whole_story(clone: Path) -> None:
    process = ordinary("make", "demo", clone=clone, **PIPES)
    out, _ = process.communicate()
    assert process.returncode == 0, out
    reason = f"The local cloud boots hosts, which needs root; you are user {USER}"
    assert f"No hosts are booted here: {reason}. So SSH, systemd" in out
    story: dict[str, Any] = json.loads((clone / ".run/processes/demo.json").read_text())
    good, bad = story["good"]["told"], story["bad"]["told"]
    assert (good["verdict"], good["live"], story["before"]) == ("PASS", "green", "blue")
    assert (bad["verdict"], bad["live"]) == ("FAIL", "green")
    assert bad["reason"].startswith("Errors: ")
    for told in (good, bad):
        assert (clone / told["report"]).stat().st_size > 50_000
    assert story["failures_before_bad"] == 0
    assert story["failures_of_bad"] > 0
    assert left() == []


@pytest.mark.rare
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_one_that_was_stopped(clone: Path, number: signal.Signals) -> None:
    with started(clone) as process:
        process.send_signal(number)
        status = process.wait(120)
        assert status == (130 if number == signal.SIGINT else -number)
        wait_for(lambda: left() == [], "no process and no directory", 60, pause=0.5)
        assert "Traceback" not in (clone / "output.txt").read_text()


def test_a_checkout_may_have_a_space_in_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spaced = tmp_path / "my checkout"
    spaced.symlink_to(ROOT)
    monkeypatch.setattr("tests.support.proxy_process.ROOT", spaced)
    with short_directory() as directory, proxy_process.running_proxy(directory) as proxy:
        assert proxy.traffic.runtime.read()


def test_without_haproxy_it_says_what_to_type(clone: Path) -> None:
    haproxy = shutil.which("haproxy", path="/usr/local/sbin:/usr/sbin:/usr/bin")
    if os.getuid() != 0 or haproxy is None:
        pytest.skip("hiding a program needs root")
    switch = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *DEMO]
    hide = ["unshare", "--mount", "sh", "-c", f'mount --bind /dev/null {haproxy} && exec "$@"', "-"]
    done = subprocess.run(
        [*hide, *switch], cwd=clone, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "Type, as root: apt-get install haproxy" in done.stdout
    assert left() == []
