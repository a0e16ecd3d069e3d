"""The templates of roles, rendered like Ansible, without a host."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError

from tests.support.ansible_templates import ROLES, evaluate, render

SERVERS: list[dict[str, Any]] = [
    {"name": "green-1", "colour": "green", "address": "10.77.1.21"},
    {"name": "blue-1", "colour": "blue", "address": "10.77.1.11", "port": 8081},
]


def haproxy(servers: list[dict[str, Any]]) -> str:
    return render("proxy", "haproxy.cfg.j2", proxy_servers=servers)


def known(servers: list[dict[str, Any]]) -> dict[str, int]:
    document = json.loads(render("proxy", "shop-traffic.json.j2", proxy_servers=servers))
    return {server["name"]: server["id"] for server in document["servers"]}


def test_a_variable_that_nobody_set_is_an_error() -> None:
    with pytest.raises(AnsibleError, match="proxy_servers"):
        render("proxy", "haproxy.cfg.j2")


def test_nobody_serves_before_shop_traffic_says_so() -> None:
    lines = re.findall(r"^  server .*", haproxy(SERVERS), flags=re.MULTILINE)
    active = [line for line in lines if "backup" not in line]
    assert len(active) == len(SERVERS)
    assert all(line.endswith("check weight 0") for line in active)
    assert all(line.endswith("backup disabled") for line in lines if line not in active)


def test_haproxy_and_shop_traffic_agree_on_every_servers_id() -> None:
    found = re.findall(r"^  server (\S+) \S+ id (\d+) check", haproxy(SERVERS), re.MULTILINE)
    assert {name: int(number) for name, number in found} == known(SERVERS)


def public(text: str) -> list[str]:
    """Return the addresses of the frontend. systemd may open the first port."""
    frontend = text.partition("frontend public")[2].partition("backend")[0]
    return re.findall(r'^  bind (?:"\$\{SHOP_LISTEN-)?(:.*)', frontend, re.MULTILINE)


def test_without_a_certificate_there_is_no_tls() -> None:
    assert public(haproxy(SERVERS)) == [':80}"']
    assert not re.search(r"\bssl (crt|-)|ssl-default", haproxy(SERVERS))


def test_with_a_certificate_old_tls_is_refused() -> None:
    tls = {"certificate": "/shop.pem"}
    text = render("proxy", "haproxy.cfg.j2", proxy_servers=SERVERS, proxy_tls=tls)
    plain, encrypted = public(text)
    assert plain == ':80}"'
    assert encrypted.startswith(":443 ssl crt /etc/haproxy/")
    assert "ssl-min-ver TLSv1.2" in text
    (ciphers,) = re.findall(r"default-bind-ciphers (\S+)", text)
    assert all(each.startswith("ECDHE-") for each in ciphers.split(":"))


def test_a_new_server_moves_no_other_on_the_ring() -> None:
    more = [
        {"name": "blue-2", "colour": "blue", "address": "10.77.1.12"},
        *SERVERS,
        {"name": "green-12", "colour": "green", "address": "10.77.1.32"},
    ]
    assert known(SERVERS).items() <= known(more).items()
    assert len(set(known(more).values())) == len(more)


def test_no_status_code_is_ever_retried() -> None:
    (line,) = re.findall(r"^ *retry-on .*", haproxy(SERVERS), flags=re.MULTILINE)
    assert not re.search(r"\d{3}", line)


def test_requests_that_change_something_are_retried_with_a_key_alone() -> None:
    (line,) = re.findall(r"disable-l7-retry unless .*", haproxy(SERVERS))
    assert "METH_GET" in line
    assert "POST" not in line
    assert "Idempotency-Key" in line


def test_the_environment_of_a_service_keeps_every_character() -> None:
    text = render("service", "environment.j2", service_environment={"A": 'say "no" \\ go', "B": 1})
    assert text.splitlines()[-2:] == ['A="say \\"no\\" \\\\ go"', 'B="1"']


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("venv/bin/python -m app", "/opt/shop/current/venv/bin/python -m app"),
        ("/usr/bin/true", "/usr/bin/true"),
    ],
)
def test_a_command_is_found_in_the_current_release(command: str, expected: str) -> None:
    unit = render("service", "service.j2", service_name="shop", service_command=command)
    assert f"ExecStart={expected}\n" in unit


def test_the_database_answers_the_named_networks_and_nobody_else() -> None:
    text = render("database", "pg_hba.conf.j2", database_clients=["10.77.1.0/24"])
    hosts = [line.split() for line in text.splitlines() if line.startswith("host")]
    assert hosts == [["host", "shop", "shop", "10.77.1.0/24", "scram-sha-256"]]
    assert "trust" not in text


def test_the_firewall_opens_what_is_named() -> None:
    text = render(
        "base",
        "nftables.conf.j2",
        base_ports=[{"port": 8080, "sources": ["10.77.0.0/24", "10.77.1.0/24"]}],
    )
    assert "policy drop" in text
    assert "ip saddr { 10.77.0.0/24, 10.77.1.0/24 } tcp dport 8080 accept" in text
    assert set(re.findall(r"dport (\d+)", text)) == {"22", "8080"}


def test_every_module_of_shop_traffic_is_installed() -> None:
    source = ROLES / "proxy/files"
    written = evaluate("proxy", "__proxy_library_files")
    assert {file["path"]: file["content"] for file in written} == {
        f"/usr/local/lib/shop-traffic/{path.relative_to(source)}": path.read_text()
        for path in (*source.glob("shop_traffic/*.py"), *source.glob("*.lua"))
    }


@pytest.mark.parametrize("role", ["prober", "alarm_recorder"])
def test_every_module_of_a_program_is_in_its_release(role: str) -> None:
    source = ROLES / role / "files" / role
    program = {"service_name": "probe", "service_source": str(source), "service_release": "one"}
    place = f"/opt/probe/releases/one/{role}"
    written = evaluate("service", "__service_modules", **program)
    assert {file["path"]: file["content"] for file in written} == {
        f"{place}/{path.name}": path.read_text() for path in source.glob("*.py")
    }
    assert place in evaluate("service", "__service_directories", **program)


@pytest.mark.parametrize("role", ["prober", "alarm_recorder"])
def test_a_changed_module_is_another_version(role: str, tmp_path: Path) -> None:
    """So the release gets a new name, and the program restarts."""
    shutil.copytree(ROLES / role / "files", tmp_path / "files")
    here = {"ansible_search_path": [str(tmp_path)]}
    assert evaluate(role, f"__{role}_version", **here) == evaluate(role, f"__{role}_version")
    for module in (tmp_path / "files" / role).glob("*.py"):
        before = evaluate(role, f"__{role}_version", **here)
        module.write_text(module.read_text() + "# changed\n")
        assert evaluate(role, f"__{role}_version", **here) != before, module.name


def test_without_source_or_artifact_no_release_is_touched() -> None:
    """The role app changes its link itself, host by host."""
    assert evaluate("service", "__service_modules", service_name="shop") == []
    assert evaluate("service", "__service_directories", service_name="shop") == [
        "/opt/shop/releases",
        "/etc/shop",
    ]
