"""Stored data has a version: older ones are read, newer ones are refused with a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from canary.errors import CalibrationError, PolicyError, RecordingError, StateError
from canary.learned import Calibration, dump_calibration, load_calibration
from canary.policy import parse_policy
from canary.recording import recording_from_text, recording_to_text
from canary.state.base import Holder, Live
from canary.state.files import FileState
from canary.state.tables import HistoryTable, LockTable
from tests.unit.canary.test_state_files import NOW, ROW, host, state
from tests.unit.canary.verdict_recordings import healthy

__all__ = ["host", "state"]
NEWER = 9


def test_a_policy_of_another_version_is_refused_before_its_keys_are() -> None:
    for version in (0, NEWER):
        with pytest.raises(PolicyError) as refused:
            parse_policy(f"version: {version}\nmetrics: []\nnew_key: 1\n", "p.yml")
        assert str(refused.value) == (
            f"The policy p.yml has version {version}, and this canary reads version 1. Install a "
            "canary for it, or write it again: canary init --help"
        )


def test_a_recording_of_a_newer_version_is_refused() -> None:
    document = json.loads(recording_to_text(healthy()))
    assert recording_from_text(json.dumps(document)) == healthy()
    text = json.dumps({**document, "version": NEWER})
    with pytest.raises(
        RecordingError, match=r"version 9; this program reads .* Install the canary"
    ):
        recording_from_text(text)


def test_a_calibration_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    dump_calibration(Calibration(), path)
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "version": NEWER}))
    with pytest.raises(CalibrationError, match=r"has version 9, not \d.*canary rehearse"):
        load_calibration(path)


def changed(path: Path, version: int | None) -> None:
    document = json.loads(path.read_text())
    del document["version"]
    path.write_text(json.dumps(document if version is None else {**document, "version": version}))


@pytest.mark.parametrize("name", ["live.json", "history/c1.json"])
def test_files_of_a_state_are_read_without_a_version_and_refused_with_a_newer_one(
    state: FileState, tmp_path: Path, name: str
) -> None:
    state.set_live(Live("green", "v1"))
    state.remember(ROW)
    changed(path := tmp_path / "state" / name, None)
    assert (state.live(), list(state.history(5))) == (Live("green", "v1"), [ROW])
    state.set_live(Live("green", "v1"))
    state.remember(ROW)
    changed(path, NEWER)
    with pytest.raises(StateError, match=rf"{path.name} has version 9, and this canary reads"):
        state.live() if name == "live.json" else state.history(5)


@pytest.mark.usefixtures("aws")
def test_rows_and_locks_in_tables_too() -> None:
    service = boto3.resource("dynamodb", region_name="eu-central-1")
    keys = {"lock": ["environment"], "history": ["environment", "canary"]}
    tables = {
        name: service.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(columns, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in columns],
        )
        for name, columns in keys.items()
    }
    lock, history = LockTable(tables["lock"], "e"), HistoryTable(tables["history"], "e")
    lock.take(Holder("c1", "me", NOW, NOW + 60), None)
    history.add(ROW)
    for version, refused in ((1, False), (NEWER, True)):
        for table in tables.values():
            (item,) = table.scan()["Items"]
            table.put_item(Item={**item, "version": version})
        if not refused:
            assert history.newest(5) == [ROW]
            assert lock.holder() is not None
            continue
        with pytest.raises(StateError, match=r"The row c1 of the history has version 9"):
            history.newest(5)
        with pytest.raises(StateError, match=r"The lock of e has version 9"):
            lock.holder()
        assert not lock.take(replace(Holder("c2", "me", NOW, NOW + 60)), None)
