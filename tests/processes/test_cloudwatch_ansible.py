"""The Ansible module creates alarms, changes nothing in a second run, and removes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cloudwatch_client import KEYS, REGION, client, running

TOPIC = "arn:aws:sns:eu-central-1:123456789012:shop-local-events"
ALARMS: list[dict[str, Any]] = [
    {
        "name": "carts",
        "description": "More than five carts",
        "metric_name": "carts",
        "namespace": "Shop",
        "dimensions": {"Environment": "local", "Colour": "blue"},
        "statistic": "Average",
        "comparison": "GreaterThanThreshold",
        "threshold": 5,
        "period": 10,
        "evaluation_periods": 3,
        "datapoints_to_alarm": 2,
        "treat_missing_data": "notBreaching",
        "unit": "Count",
        "alarm_actions": [TOPIC],
        "ok_actions": [TOPIC],
    },
    {
        "name": "slow",
        "metric_name": "latency",
        "namespace": "Shop",
        "extended_statistic": "p99",
        "comparison": "GreaterThanOrEqualToThreshold",
        "threshold": 0.2,
        "period": 60,
        "evaluation_periods": 2,
        "evaluate_low_sample_count_percentile": "ignore",
    },
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("cloudwatch") / "state") as found:
        yield found


def play(address: str, directory: Path, state: str) -> dict[str, int]:
    """Run the module for every alarm, and return Ansible's counts."""
    module = "amazon.aws.cloudwatch_metric_alarm"
    tasks = [{"name": each["name"], module: {**each, "state": state}} for each in ALARMS]
    book = directory / "play.yml"
    book.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": address,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.json",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
    }
    program = Path(sys.executable).with_name("ansible-playbook")
    python = f"ansible_python_interpreter={sys.executable}"
    done = subprocess.run(
        [program, book, "-e", python],
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts: dict[str, int] = json.loads(done.stdout[done.stdout.index("{") :])["stats"]["localhost"]
    return counts


def test_the_second_run_changes_nothing(address: str, tmp_path: Path) -> None:
    assert play(address, tmp_path, "present")["changed"] == len(ALARMS)
    assert play(address, tmp_path, "present")["changed"] == 0
    found = client(address).describe_alarms()["MetricAlarms"]
    assert [each["AlarmName"] for each in found] == ["carts", "slow"]
    assert play(address, tmp_path, "absent")["changed"] == len(ALARMS)
    assert play(address, tmp_path, "absent")["changed"] == 0
    assert client(address).describe_alarms()["MetricAlarms"] == []
