"""Settings of a real account: variables of the shell, stored settings, and open ports."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible.template import Templar

from tests.support.ansible_templates import evaluate, render
from tests.support.paths import ROOT
from tests.unit.roles.inventories import HOSTS, Environment, load, load_again


def test_pages_without_encryption_are_reached_from_the_public_subnet_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This is so on AWS, where administrators forward the ports over SSH of the proxy."""
    aws = load("aws", tmp_path, monkeypatch)
    ports = aws.value("aws-monitor-1", "base_ports")
    assert ports == [{"port": port, "sources": ["10.76.0.0/24"]} for port in (3000, 8089, 9090)]
    assert not aws.value("localhost", "network_monitor_direct")


def test_their_security_group_lets_the_proxy_in_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Grafana (3000) shows graphs to everybody who reaches it, and offers nothing else."""
    aws = load("aws", tmp_path, monkeypatch)
    monitor = next(group for group in groups_of(aws) if group["name"] == "monitor")
    (pages,) = [rule for rule in monitor["rules"] if 3000 in rule["ports"]]
    assert pages["ports"] == [3000, 8089, 9090]
    assert pages["group_name"].endswith("-proxy")
    assert "cidr_ip" not in pages
    for group in groups_of(aws):
        opened = {port for rule in group["rules"] for port in rule["ports"]}
        assert group["name"] == "monitor" or not opened & {3000, 8089, 9090}


def test_grafana_lets_nobody_sign_up_change_or_publish_anything() -> None:
    settings = configparser.ConfigParser()
    settings.read_string(render("grafana", "grafana.ini.j2", grafana_password="secret"))  # noqa: S106
    assert settings["auth.anonymous"]["org_role"] == "Viewer"
    assert settings["security"]["admin_password"] == "secret"
    for section, key in (
        ("users", "allow_sign_up"),
        ("snapshots", "enabled"),
        ("snapshots", "external_enabled"),
        ("plugins", "plugin_admin_enabled"),
    ):
        assert not settings[section].getboolean(key), key


def groups_of(aws: Environment) -> list[dict[str, Any]]:
    """Return the security groups as the role ``network`` makes them."""
    parts = ("name", "admin_cidrs", "monitor_ports", "monitor_direct", "subnets")
    names = [f"network_{part}" for part in (*parts, "client_cidrs", "client_ports")]
    given = {name: aws.value("localhost", name) for name in names}
    found: list[dict[str, Any]] = evaluate("network", "__network_groups", **given)
    return found


def test_a_shell_without_the_optional_variables_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = load("aws", tmp_path, monkeypatch)
    given = {
        "CART_CANARY_ALARM_EMAILS": "ops@example.org",
        "CART_CANARY_DNS_ZONE": "example.org",
        "CART_CANARY_TLS_CERTIFICATE": str(tmp_path / "shop.pem"),
        "CART_CANARY_TLS_KEY": str(tmp_path / "shop.key"),
        "CART_CANARY_TLS_NAME": "shop.example.org",
        "CART_CANARY_TRUSTED_PROXIES": "192.0.2.0/24 198.51.100.0/24",
    }
    assert list(given) == aws.value("localhost", "optional_settings")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert aws.value("localhost", "settings_values") == given
    kept = Path(aws.value("localhost", "settings_path"))
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(aws.value("localhost", "settings_values")), encoding="utf-8")
    for name in given:
        monkeypatch.delenv(name)
    assert aws.value("localhost", "settings_values") == given
    assert aws.value("localhost", "alarm_emails") == ["ops@example.org"]
    assert aws.value("localhost", "network_client_ports") == [80, 443]
    assert aws.value("localhost", "trusted_proxies") == ["192.0.2.0/24", "198.51.100.0/24"]
    assert aws.value("aws-proxy-1", "probe")["url"] == "https://shop.example.org/status"
    # On a controller with only the copies.
    assert aws.value("aws-proxy-1", "proxy_tls")["key"] == str(
        tmp_path / "run/123456789012/aws/tls/shop.key"
    )


def test_with_a_certificate_for_a_name_clients_are_sent_to_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = load("aws", tmp_path, monkeypatch)
    assert aws.value("aws-proxy-1", "proxy_tls")["only"] is False
    monkeypatch.setenv("CART_CANARY_TLS_CERTIFICATE", str(tmp_path / "shop.pem"))
    assert aws.value("aws-proxy-1", "proxy_tls")["only"] is False
    monkeypatch.setenv("CART_CANARY_TLS_NAME", "shop.example.org")
    assert aws.value("aws-proxy-1", "proxy_tls")["only"] is True


def test_a_database_elsewhere_needs_no_data_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(HOSTS, "data-1")
    aws = load_again("aws", tmp_path, monkeypatch)
    elsewhere = {
        "shop_database_url": "postgresql://shop:secret@db.example.org/shop?sslmode=require",
        "shop_redis_url": "rediss://cache.example.org:6379/0",
    }
    variables = {**aws.raw("aws-app-blue-1"), **elsewhere}
    templar = Templar(loader=aws.loader, variables=variables)
    assert templar.template(variables["app_database_url"]) == elsewhere["shop_database_url"]
    assert templar.template(variables["app_redis_url"]) == elsewhere["shop_redis_url"]
    assert aws.value("aws-monitor-1", "prober_backups") == "", "it has backups of its own"


def test_every_other_variable_of_the_shell_is_required() -> None:
    """Without one of them, nothing is changed."""
    text = "".join(path.read_text("utf-8") for path in (ROOT / "inventory/aws").rglob("*.yml"))
    read = set(re.findall(r"'(CART_CANARY_\w+)'", text))
    assert read == {"CART_CANARY_AWS_ACCOUNT", "CART_CANARY_ADMIN_CIDR"}


def test_a_setting_is_removed_by_the_value_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = load("aws", tmp_path, monkeypatch)
    monkeypatch.setenv("CART_CANARY_ALARM_EMAILS", "none")
    assert aws.value("localhost", "alarm_emails") == []
    assert aws.value("localhost", "settings_values") == {"CART_CANARY_ALARM_EMAILS": "none"}
