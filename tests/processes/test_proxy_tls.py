"""TLS of the proxy role in a real HAProxy: accepted and rejected connections."""

from __future__ import annotations

import contextlib
import http.client
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ansible_templates import render
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.proxy_process import process
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(300)]
KEY = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
ADDRESS = ["-subj", "/CN=shop", "-addext", "subjectAltName=IP:127.0.0.1"]
CLIENT = ["openssl", "s_client", "-verify_return_error", "-cipher", "ALL:@SECLEVEL=0"]
"""At the weakest security level, so that the proxy refuses, not this program."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tls")
    files = ["-keyout", str(place / "key.pem"), "-out", str(place / "shop.crt")]
    subprocess.run([*KEY, *ADDRESS, *files], check=True, capture_output=True)
    return place / "shop.crt"


@pytest.fixture(scope="module")
def plain() -> int:
    return free_port()


@pytest.fixture(scope="module")
def port(certificate: Path, plain: int) -> Iterator[int]:
    place = certificate.parent
    (place / "shop.pem").write_text(certificate.read_text() + (place / "key.pem").read_text())
    chosen = free_port()
    text = render(
        "proxy",
        "haproxy.cfg.j2",
        proxy_servers=[{"name": "blue-1", "colour": "blue", "address": "127.0.0.1", "port": 9}],
        proxy_port=plain,
        proxy_clients={"exempt": ["127.0.0.3"], "trusted": ["127.0.0.4"]},
        proxy_tls={"port": chosen, "only": True, "certificate": str(certificate)},
        __proxy_tls_file=str(place / "shop.pem"),
        __proxy_socket=str(place / "admin.sock"),
        __proxy_server_state=str(place / "server-state"),
        __proxy_drill=str(ROOT / "roles/proxy/files/drill.lua"),
        __proxy_times=str(ROOT / "roles/proxy/files/times.lua"),
    ).replace(":8404", f":{free_port()}")
    # tests need no root: no change of user, no chroot
    text = re.sub(r"^  (chroot|user|group) .*\n", "", text, flags=re.MULTILINE)
    (place / "haproxy.cfg").write_text(text)
    with process("haproxy", "-W", "-f", str(place / "haproxy.cfg")):
        wait_for(lambda: not shake_hands(chosen, certificate).returncode, "HAProxy", 60, 0.2)
        yield chosen


def shake_hands(port: int, authority: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLIENT, "-connect", f"127.0.0.1:{port}", "-CAfile", str(authority), *words],
        input="",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", ["1_2", "1_3"])
def test_it_speaks_what_is_modern(port: int, certificate: Path, version: str) -> None:
    done = shake_hands(port, certificate, f"-tls{version}", "-alpn", "h2,http/1.1")
    assert done.returncode == 0, done.stderr
    assert f"TLSv{version.replace('_', '.')}" in done.stdout
    assert "ALPN protocol: h2" in done.stdout


@pytest.mark.parametrize("version", ["1", "1_1"])
def test_it_refuses_what_is_old_itself(port: int, certificate: Path, version: str) -> None:
    done = shake_hands(port, certificate, f"-tls{version}")
    assert done.returncode != 0
    assert "alert protocol version" in done.stderr


def test_it_refuses_a_cipher_without_forward_secrecy(port: int, certificate: Path) -> None:
    done = shake_hands(port, certificate, "-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0")
    assert done.returncode != 0
    assert "alert handshake failure" in done.stderr


def test_who_knows_another_authority_does_not_believe_it(port: int, tmp_path: Path) -> None:
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "other.crt")]
    subprocess.run([*KEY, *ADDRESS, *files], check=True, capture_output=True)
    assert shake_hands(port, tmp_path / "other.crt").returncode != 0


@pytest.mark.parametrize(
    ("source", "status"),
    [("127.0.0.2", 308), ("127.0.0.1", 503), ("127.0.0.3", 503), ("127.0.0.4", 503)],
    ids=["a client", "this host", "a load generator", "a load balancer with TLS"],
)
def test_the_plain_port_sends_clients_to_the_other(
    port: int, plain: int, source: str, status: int
) -> None:
    """503 means that the proxy forwards without a redirect: its only server is down."""
    assert port
    connection = http.client.HTTPConnection(
        "127.0.0.1", plain, timeout=20, source_address=(source, 0)
    )
    with contextlib.closing(connection):
        connection.request("POST", "/cart?a=b", headers={"Host": "shop.example"})
        with connection.getresponse() as answer:
            answer.read()
    assert answer.status == status
    if status == 308:
        assert answer.headers["Location"] == "https://shop.example/cart?a=b"
