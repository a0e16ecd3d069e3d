"""Kernel settings are raised for hosts and restored."""

from pathlib import Path

import pytest

from local_cloud import kernel


@pytest.mark.parametrize(("before", "during"), [("128\n", "4096\n"), ("8192\n", "8192\n")])
def test_a_setting_is_raised_and_put_back(tmp_path: Path, before: str, during: str) -> None:
    setting, remembered = tmp_path / "max_user_instances", tmp_path / "remembered"
    setting.write_text(before)
    kernel.tune({setting: 4096}, remembered)
    kernel.tune({setting: 4096}, remembered)  # a second cloud must not store the value of the first
    assert setting.read_text() == during
    kernel.restore({setting: 4096}, remembered)
    assert setting.read_text() == before
    assert not remembered.exists()


def test_there_is_nothing_to_put_back_twice(tmp_path: Path) -> None:
    setting, remembered = tmp_path / "ip_forward", tmp_path / "remembered"
    setting.write_text("1\n")
    kernel.restore({setting: 1}, remembered)
    assert setting.read_text() == "1\n"
