"""A recording reads back as it was written, bit for bit. Damage is reported."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.errors import RecordingError
from canary.learned import Calibration, Fingerprint, Learned, MeasuredNoise
from canary.model import Arm, Event, Recording, Series
from canary.recording import (
    dump_recording,
    load_recording,
    recording_from_text,
    recording_to_text,
)
from tests.unit.canary.verdict_recordings import healthy

numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def calibration(tau: float) -> Calibration:
    noise = MeasuredNoise(tau, 0.3, 0.01)
    learned = Learned(8, noise, replace(noise, arm_clip=1.0), {"pass": ((4, 1.1), (30, 1.2))})
    return Calibration({"errors": learned}, Fingerprint(30, "csv", 2, {"errors": "count"}))


def whole() -> Recording:
    return replace(
        healthy(),
        split=((0, Arm.CANDIDATE, 5), (0, Arm.BASELINE, 7)),
        events=(Event(5, "step", "green carries 5 %"),),
        calibration=calibration(0.1 + 0.2),
    )


def test_a_file_reads_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "recording.json"
    dump_recording(whole(), path)
    assert load_recording(path) == whole()


@settings(max_examples=50)
@given(st.lists(numbers, min_size=1, max_size=5))
def test_every_float_reads_back_bit_for_bit(values: list[float | None]) -> None:
    times = tuple(range(0, 60 * len(values), 60))
    series = Series("m", Arm.BASELINE, "i", times, tuple(values), tuple(values), tuple(values))
    recording = replace(whole(), series=(series,))
    read = recording_from_text(recording_to_text(recording))
    assert repr(read.series[0].values) == repr(tuple(values))


def test_equal_recordings_have_equal_text() -> None:
    assert recording_to_text(whole()) == recording_to_text(
        recording_from_text(recording_to_text(whole()))
    )


def test_a_recording_without_the_newer_keys_is_read() -> None:
    document = json.loads(recording_to_text(whole()))
    del document["recording"]["events"]
    assert recording_from_text(json.dumps(document)) == replace(whole(), events=())


def test_a_key_of_earlier_releases_is_read_while_it_means_nothing() -> None:
    plain = replace(whole(), calibration=Calibration())
    document = json.loads(recording_to_text(plain)) | {"version": 1}
    document["recording"] |= {"calibration": {}, "extensions": []}
    assert recording_from_text(json.dumps(document)) == plain
    document["recording"]["extensions"] = [[600, 7200]]
    with pytest.raises(RecordingError, match="not known: recording"):
        recording_from_text(json.dumps(document))


def damage(old: str, new: str) -> str:
    text = recording_to_text(whole())
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (recording_to_text(whole())[:1000], "not JSON"),
        ("[]", "is a JSON list"),
        ("{}", "schema version None"),
        (damage('"version":2', '"version":7'), "schema version 7"),
        (damage('"period":60', '"period":"x"'), "period: input should be a valid integer"),
        (damage('"period":60', '"period":0'), "period of 0 seconds"),
        (damage('"environment"', '"enviroment"'), "environment: field required"),
        (damage('"colour":"blue"', '"colour":"blue","x":1'), "not known: recording.baseline.x"),
        (damage('"samples":[', '"samples":[1,'), "columns of unequal length"),
        (damage('"times":[0,60', '"times":[60,0'), "times that do not ascend"),
        (damage('"times":[0,60', f'"times":[-{"9" * 400},60'), "one of its times is wrong"),
        (damage('"start":0', f'"start":{10**12}'), "one of its times is wrong"),
        (damage('"values":[', '"values":[NaN,'), "holds NaN"),
    ],
)
def test_damage_is_named(text: str, words: str) -> None:
    with pytest.raises(RecordingError, match=r"broken\.json") as caught:
        recording_from_text(text, "broken.json")
    assert words in str(caught.value)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        load_recording(tmp_path / "none.json")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_not_written(value: float) -> None:
    series = Series("m", Arm.BASELINE, "i", (0,), (value,), (1.0,))
    with pytest.raises(RecordingError, match=r"not a number|not finite"):
        recording_to_text(replace(whole(), series=(series,)))
    with pytest.raises(RecordingError, match=r"not a number|not finite"):
        recording_to_text(replace(whole(), calibration=calibration(value)))


def test_a_recording_that_is_nested_too_deeply_is_a_sentence() -> None:
    with pytest.raises(RecordingError, match="nested too deeply to be read"):
        recording_from_text("[" * 100_000)


def test_a_recording_of_version_1_reads_with_what_was_learned(tmp_path: Path) -> None:
    """In version 1 the calibration was flat, with the lengths in the names of its keys."""
    flat = {
        "tau": 0.02,
        "phi": 0.3,
        "host": 0.01,
        "clip": 1.5,
        "windows": 12.0,
        "dense": 0.8,
        "rough_tau": 0.04,
        "rough_phi": 0.2,
        "rough_host": 0.01,
        "rank_lean": 0.1,
        "kappa_pass_30": 1.2,
        "kappa_pass_4": 1.1,
        "kappa_pass_slope_4": 1.3,
    }
    document = json.loads(recording_to_text(replace(whole(), calibration=Calibration())))
    document["version"] = 1
    document["recording"] |= {"calibration": {"errors": flat, "cpu": {}}, "extensions": []}
    read = recording_from_text(json.dumps(document))
    noise, rough = MeasuredNoise(0.02, 0.3, 0.01, 1.5), MeasuredNoise(0.04, 0.2, 0.01)
    kappa = {"pass": ((4, 1.1), (30, 1.2)), "pass_slope": ((4, 1.3),)}
    learned = Learned(12, noise, rough, kappa, rank_lean=0.1, dense=0.8)
    assert read.calibration == Calibration({"errors": learned})
    assert load_again(read, tmp_path) == read


def load_again(recording: Recording, directory: Path) -> Recording:
    dump_recording(recording, directory / "recording.json")
    return load_recording(directory / "recording.json")


def test_a_calibration_in_a_recording_that_lacks_a_number_is_damage() -> None:
    document = json.loads(recording_to_text(whole()))
    del document["recording"]["calibration"]["metrics"]["errors"]["noise"]["tau"]
    with pytest.raises(RecordingError, match=r"calibration\.metrics\.errors\.noise\.tau"):
        recording_from_text(json.dumps(document))


@pytest.mark.parametrize(
    "numbers",
    [
        {"phi": 0.1},
        {"tau": 0.1, "kappa_pass_x": 1.0},
        {"tau": 0.1, "kappa_pass_4": None},
        {"tau": 0.1, "windows": "many"},
        {"tau": 0.1, "windows": None},
        {"tau": 0.1, "typo": 1},
        [],
        7,
    ],
)
def test_damage_in_a_calibration_of_version_1_is_a_sentence(numbers: object) -> None:
    document = json.loads(recording_to_text(whole())) | {"version": 1}
    document["recording"]["calibration"] = {"errors": numbers}
    with pytest.raises(RecordingError, match="damaged: calibration"):
        recording_from_text(json.dumps(document))
