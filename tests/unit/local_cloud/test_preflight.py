"""If the local cloud cannot run, the message says why and what to type."""

from pathlib import Path

import pytest

from local_cloud import preflight as module
from local_cloud.errors import CommandError, PreflightError
from local_cloud.settings import Settings


def test_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    with pytest.raises(PreflightError, match=r"needs Linux, and this is Darwin.*canary analyze"):
        module.require_linux()


def test_a_user_is_told_how_to_become_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(PreflightError, match=r"you are user 1000.*sudo -E local-cloud up"):
        module.require_root()


def test_missing_programs_are_named_with_their_packages() -> None:
    with pytest.raises(PreflightError) as refused:
        module.require_programs(lambda name: None if name in ("nft", "mmdebstrap") else "/bin/x")
    assert str(refused.value) == (
        "Not installed: mmdebstrap, nft. Type: apt-get install -y mmdebstrap nftables"
    )


def test_nothing_is_missing_where_all_is_there() -> None:
    module.require_programs(lambda name: f"/bin/{name}")


def test_no_mount_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str) -> str:
        raise CommandError("permission denied")

    monkeypatch.setattr(module, "run", refuse)
    with pytest.raises(PreflightError, match=r"Cannot mount an overlay in .*permission denied"):
        module.require_overlay(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_machine_that_cannot_boot_hosts_says_why_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(tmp_path / "state", tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert module.cannot_boot(settings) == (
        "The local cloud boots hosts, which needs root; you are user 1000"
    )
    assert list(tmp_path.iterdir()) == [], "a user who lacks rights leaves nothing behind"


def test_a_container_with_read_only_control_groups_cannot_boot_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "hierarchies", lambda: [tmp_path])
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(PreflightError, match="read-only, and hosts need control groups"):
        module.require_cgroups()


def test_missing_programs_matter_only_once_packages_were_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(tmp_path / "state", tmp_path)
    for name in ("require_linux", "require_root", "require_cgroups"):
        monkeypatch.setattr(module, name, lambda: None)
    monkeypatch.setattr(module, "run", lambda *_: "")
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(module.require_programs, "__defaults__", (lambda _: None,))
    assert module.could_not_boot(settings) == ""
    assert list(tmp_path.iterdir()) == [], "a question leaves nothing behind"
    assert module.cannot_boot(settings).startswith("Not installed: mmdebstrap, ")
