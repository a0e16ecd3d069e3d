"""Settings: defaults, overridden by the recorded values, then by the environment."""

import re
from dataclasses import fields
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

import local_cloud
from local_cloud.errors import NetworkError
from local_cloud.settings import Settings


def test_defaults_are_the_address_plan() -> None:
    settings = Settings.load({})
    assert settings.endpoint == "http://10.77.0.1:4566"
    assert (settings.bridge, settings.gateway) == ("ccbr0", IPv4Address("10.77.0.1"))


def test_the_readme_names_every_variable_and_default() -> None:
    page = Path(local_cloud.__file__).with_name("README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `LOCAL_CLOUD_(\w+)` \| `([^`]+)`", page, re.MULTILINE))
    assert {name.lower() for name in rows} == {field.name for field in fields(Settings)}
    settings = Settings.load({})
    for name in ("bridge", "network", "port"):
        assert rows[name.upper()] == str(getattr(settings, name))


def test_a_recorded_cloud_is_found_again_by_its_directory_alone(tmp_path: Path) -> None:
    started = Settings.load(
        {
            "LOCAL_CLOUD_STATE": str(tmp_path),
            "LOCAL_CLOUD_BRIDGE": "other",
            "LOCAL_CLOUD_NETWORK": "10.80.0.0/16",
            "LOCAL_CLOUD_PORT": "5000",
        }
    )
    started.record()
    assert Settings.load({"LOCAL_CLOUD_STATE": str(tmp_path)}) == started


def test_another_spelling_of_the_directory_is_the_same_cloud(tmp_path: Path) -> None:
    """A process is found by the directory in its command line, so the spelling must be unique."""
    spelled = Settings.load({"LOCAL_CLOUD_STATE": f"{tmp_path}/hosts/../cloud"})
    assert spelled.state == Settings.load({"LOCAL_CLOUD_STATE": f"{tmp_path}/cloud"}).state


def test_the_environment_overrides_the_record(tmp_path: Path) -> None:
    Settings.load({"LOCAL_CLOUD_STATE": str(tmp_path), "LOCAL_CLOUD_PORT": "5000"}).record()
    again = Settings.load({"LOCAL_CLOUD_STATE": str(tmp_path), "LOCAL_CLOUD_PORT": "6000"})
    assert again.port == 6000


def test_another_process_loads_the_same_settings(tmp_path: Path) -> None:
    settings = Settings(
        state=tmp_path, cache=tmp_path, bridge="b", network=IPv4Network("10.9.0.0/24")
    )
    assert Settings.load(settings.environment()) == settings


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("BRIDGE", "much-too-long", "13 characters; 1 to 8"),
        ("NETWORK", "10.77.0.1/16", '"10.77.0.1/16" is not an IPv4 network'),
        ("NETWORK", "8.8.8.0/24", "8.8.8.0/24 is not a private network"),
        ("PORT", "http", '"http" is not a port'),
        ("PORT", "80", '"80" is not a port from 1024'),
    ],
)
def test_a_wrong_value_is_named_with_what_to_type(name: str, value: str, words: str) -> None:
    with pytest.raises(NetworkError, match=words) as refused:
        Settings.load({f"LOCAL_CLOUD_{name}": value})
    assert f"LOCAL_CLOUD_{name}" in str(refused.value)
