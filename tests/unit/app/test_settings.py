"""The settings, and that the README documents them."""

from __future__ import annotations

import doctest
import importlib
import json
import re
from pathlib import Path

import pytest

from app import faults
from app.settings import (
    Settings,
    SettingsError,
    read_settings,
    release_environment,
    release_name,
)
from tests.support.paths import ROOT

APP = ROOT / "app"
SOURCE = (APP / "settings.py").read_text(encoding="utf-8")
README = (APP / "README.md").read_text(encoding="utf-8")


def test_a_laptop_needs_nothing() -> None:
    chosen = read_settings({})
    assert (chosen.environment, chosen.host, chosen.port) == ("laptop", "127.0.0.1", 8080)
    assert chosen.is_sqlite
    assert chosen.metrics_sink == "none"


def test_a_deployed_shop_listens_to_the_proxy() -> None:
    assert read_settings({"SHOP_ENVIRONMENT": "local"}).host == "0.0.0.0"  # noqa: S104
    assert read_settings({"SHOP_ENVIRONMENT": "local", "SHOP_HOST": "::1"}).host == "::1"


def test_systemds_directories_are_used() -> None:
    chosen = read_settings({"STATE_DIRECTORY": "/var/lib/shop", "RUNTIME_DIRECTORY": "/run/shop"})
    assert str(chosen.state_directory) == "/var/lib/shop"
    assert str(chosen.lame_duck_file) == "/run/shop/lame-duck"
    assert chosen.database_url == "sqlite:////var/lib/shop/shop.db"


def test_an_empty_variable_is_an_unset_one() -> None:
    assert read_settings({"SHOP_PORT": "", "SHOP_REDIS_URL": " "}) == read_settings({})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SHOP_PORT", "http", "SHOP_PORT is 'http'; write a whole number from 1 to 65535."),
        ("SHOP_PORT", "70000", "from 1 to 65535"),
        ("SHOP_WORKERS", "0", "from 1 to 64"),
        ("SHOP_DRAIN_SECONDS", "nan", "a number of seconds from 0"),
        ("SHOP_METRICS_SINK", "statsd", "write one of cloudwatch, none"),
        ("SHOP_LOG_REQUESTS", "yes", "write one of 0, 1"),
        ("SHOP_DATABASE_URL", "mysql://x", "write postgresql://user@host/name or sqlite:///"),
        ("SHOP_DATABASE_URL", "sqlite:///", "SHOP_DATABASE_URL is 'sqlite:///'"),
        ("SHOP_REDIS_URL", "localhost:6379", "write redis://host:6379/0"),
    ],
)
def test_a_wrong_value_is_a_sentence(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        read_settings({name: value})


def test_a_password_is_not_shown() -> None:
    with pytest.raises(SettingsError) as shown:
        read_settings({"SHOP_DATABASE_URL": "mysql://shop:secret@host/name"})
    assert "secret" not in str(shown.value)


def test_a_release_may_set_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "release.env"
    assert release_environment(path) == {}
    path.write_text('# why\n\nSHOP_FAULTS="latency=200ms error=503:0.1"\n', encoding="utf-8")
    assert release_environment(path) == {"SHOP_FAULTS": "latency=200ms error=503:0.1"}


@pytest.mark.parametrize("name", ["SHOP_DATABASE_URL", "SHOP_ALLOW_FAULTS", "PATH"])
def test_a_release_may_set_nothing_else(tmp_path: Path, name: str) -> None:
    path = tmp_path / "release.env"
    path.write_text(f"SHOP_FAULTS=cpu\n{name}=1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=f"a release cannot set '{name}'"):
        release_environment(path)


def test_the_environment_beats_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "release.env").write_text("SHOP_FAULTS=cpu\n", encoding="utf-8")
    monkeypatch.setattr("app.settings.RELEASE_DIRECTORY", tmp_path)
    assert read_settings({}).faults == "cpu"
    assert read_settings({"SHOP_FAULTS": ""}).faults == "cpu"
    assert read_settings({"SHOP_FAULTS": "latency"}).faults == "latency"


def test_the_release_is_named_by_its_artifact(tmp_path: Path) -> None:
    assert release_name(tmp_path) == "dev"
    (tmp_path / "release.json").write_text(json.dumps({"name": "0123456789ab-dirty"}))
    assert release_name(tmp_path) == "0123456789ab-dirty"
    (tmp_path / "release.json").write_text("[]")
    assert release_name(tmp_path) == "dev"


def test_the_readme_has_every_setting() -> None:
    used = set(re.findall(r'"(SHOP_[A-Z_]+)"', SOURCE))
    assert used - set(re.findall(r"`(SHOP_[A-Z_]+)`", README)) == set()


def test_the_readme_has_the_defaults() -> None:
    default = Settings()
    for name, value in (
        ("SHOP_PORT", default.port),
        ("SHOP_HEALTH_PORT", default.health_port),
        ("SHOP_METRICS_PERIOD", default.metrics_period),
        ("SHOP_BODY_LIMIT", default.body_limit),
        ("SHOP_CART_TTL", default.cart_ttl),
        ("SHOP_PRODUCT_TTL", default.product_ttl),
        ("SHOP_GIT_HOSTS", " ".join(default.git_hosts)),
    ):
        assert f"| `{name}` | `{value}` |" in README


def test_the_readme_has_every_fault() -> None:
    table = README.partition("| fault | does |")[2].partition("## Metrics")[0]
    assert set(re.findall(r"^\| `([a-z]+)[=`]", table, re.M)) == set(faults.DEFAULTS)


@pytest.mark.parametrize("module", ["decoding", "faults", "metrics.histogram", "models"])
def test_examples_in_docstrings_are_true(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"app.{module}"))
    assert (result.failed, result.attempted > 0) == (0, True)


def test_a_release_with_faults_does_not_start_where_they_are_not_allowed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from app.__main__ import main

    monkeypatch.setenv("SHOP_FAULTS", "error=503")
    monkeypatch.setenv("SHOP_STATE_DIRECTORY", str(tmp_path))
    monkeypatch.delenv("SHOP_ALLOW_FAULTS", raising=False)
    assert main([]) == 2
    sentence = capsys.readouterr().err
    assert sentence.startswith("shop: SHOP_FAULTS is 'error=503' in environment laptop")
    assert "SHOP_ALLOW_FAULTS=1" in sentence


def test_seed_stores_the_same_products_each_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from app.__main__ import main
    from app.store.sqlite import SqliteStore

    monkeypatch.setenv("SHOP_STATE_DIRECTORY", str(tmp_path))
    seen = []
    for _ in range(2):
        assert main(["seed", "--products", "5"]) == 0
        store = SqliteStore(str(tmp_path / "shop.db"))
        seen.append(store.products(10))
        store.close()
    assert len(seen[0]) == 5
    assert seen[0] == seen[1]
    assert "5 products" in capsys.readouterr().out
