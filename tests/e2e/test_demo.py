"""A good release is promoted, a bad one is rejected, and no other request fails."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.support.paths import ROOT

pytestmark = [pytest.mark.timeout(2400)]
REFUSED_WITHIN = 90
"""Seconds within which a bad release must fail after its first traffic, as the project promises."""


def recording(told: dict[str, Any]) -> dict[str, Any]:
    document = json.loads((ROOT / told["directory"] / "recording.json").read_text())
    seen: dict[str, Any] = document["recording"]
    return seen


def test_the_good_release_passes_and_becomes_live(story: dict[str, Any]) -> None:
    good = story["good"]["told"]
    assert good["verdict"] == "PASS"
    assert good["live"] != story["before"]


def test_the_bad_release_fails_and_changes_nothing(story: dict[str, Any]) -> None:
    bad = story["bad"]["told"]
    assert bad["verdict"] == "FAIL"
    assert story["bad"]["status"] == 1
    assert bad["live"] == story["good"]["told"]["live"]
    assert bad["reason"].startswith("Errors: ")


def test_the_bad_release_is_refused_in_time(story: dict[str, Any]) -> None:
    seen = recording(story["bad"]["told"])
    assert seen["looks"][-1] - seen["steps"][0]["start"] <= REFUSED_WITHIN


def test_no_request_failed_but_by_the_bad_release_itself(story: dict[str, Any]) -> None:
    assert story["failures_before_bad"] == 0
    assert story["failures_of_bad"] > 0


@pytest.mark.parametrize(("which", "status"), [("good", 0), ("bad", 1)])
def test_a_recording_replays_to_the_same_judgement(
    story: dict[str, Any], which: str, status: int
) -> None:
    directory = ROOT / story[which]["told"]["directory"]
    again = subprocess.run(
        ["canary", "replay", str(directory / "recording.json"), "--json"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert again.returncode == status
    report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    assert json.loads(again.stdout) == report
    assert report["reason"] == story[which]["told"]["reason"]


def test_a_second_run_of_the_site_changes_nothing(story: dict[str, Any]) -> None:
    assert story
    done = subprocess.run(
        ["ansible-playbook", "site.yml"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]
    recap = done.stdout.rsplit("PLAY RECAP", 1)[1]
    hosts = [line for line in recap.splitlines() if "changed=" in line]
    assert len(hosts) >= 8
    assert [line for line in hosts if "changed=0 " not in line] == []
