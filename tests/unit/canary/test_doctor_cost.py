"""The certificate's expiry, and the monthly bill of an environment."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from canary.cli import cli
from canary.doctor import cost
from canary.doctor.needs import Needs
from canary.doctor.reach import expiry
from canary.errors import PolicyError
from tests.unit.canary.doctor.world import certificate, needs_in


@pytest.fixture
def needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Needs:
    monkeypatch.chdir(tmp_path)
    return needs_in(tmp_path)


def test_the_expiry_of_a_certificate_is_that_which_openssl_reads(tmp_path: Path) -> None:
    for days in (-3, 1, 30_000):  # beyond 2050 the date has another form
        path = certificate(tmp_path, days)
        words = ["openssl", "x509", "-enddate", "-noout", "-in", str(path)]
        told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        text = told.strip().replace("GMT", "+0000")
        read = datetime.strptime(text, "notAfter=%b %d %H:%M:%S %Y %z")
        assert expiry(path.read_text()) == read


def test_the_bill_is_the_sum_of_its_items(needs: Needs) -> None:
    bill = {item.what: item.dollars for item in cost.bill(needs)}
    assert bill["7 x t3.small"] == pytest.approx(7 * 0.024 * 730)
    assert bill["1 NAT gateway"] == pytest.approx(0.052 * 730)
    assert bill["publishing them every 10 s"] == pytest.approx(4 * 262_800 / 1000 * 0.01)
    assert cost.total(cost.bill(needs)) == pytest.approx(
        sum(map(float, filter(None, bill.values())))
    )


def test_an_unknown_price_is_said_and_not_left_out(needs: Needs) -> None:
    other = needs.model_copy(update={"instances": {"m9.huge": 2}})
    assert cost.lines(cost.bill(other))[0].split()[-1] == "unknown"
    with pytest.raises(PolicyError, match="No prices are known for region mars-1, only for eu-"):
        cost.bill(needs.model_copy(update={"region": "mars-1"}))


def test_the_plan_shows_the_bill_before_there_is_a_policy(needs: Needs) -> None:
    told = CliRunner().invoke(cli, ["plan", "--env", "aws", "--cost"])
    assert isinstance(told.exception, PolicyError)
    assert "playbooks/doctor.yml" in str(told.exception)
    Path(".run/aws").mkdir(parents=True)
    Path(".run/aws/needs.json").write_text(needs.model_dump_json(), encoding="utf-8")
    shown = CliRunner().invoke(cli, ["plan", "--env", "aws", "--cost"])
    assert shown.exit_code == 0, shown.output
    assert "a month, in US dollars" in shown.output
    as_json = json.loads(
        CliRunner().invoke(cli, ["plan", "--env", "aws", "--cost", "--json"]).output
    )
    assert as_json["total"] == pytest.approx(sum(item["dollars"] for item in as_json["items"]))
