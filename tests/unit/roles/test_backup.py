"""The backup: the curl call, a valid AWS signature, and rejected names."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.backup_program import PROGRAM, load

KEYS = {"AccessKeyId": "AKID", "SecretAccessKey": "a/secret+key", "Token": "a/token+=="}


class Bucket(BaseHTTPRequestHandler):
    """Accepts uploads and records their signatures."""

    seen: dict[str, str]

    def do_PUT(self) -> None:
        type(self).seen = {name.lower(): value for name, value in self.headers.items()}
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Log nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Bucket)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def signature(url: str, seen: dict[str, str], signed: list[str]) -> str:
    """Return the signature that botocore computes for the received request."""

    class Recomputed(S3SigV4Auth):  # type: ignore[misc]
        def headers_to_sign(self, _: AWSRequest) -> http.client.HTTPMessage:
            headers = http.client.HTTPMessage()
            for name in signed:
                headers[name] = seen[name]
            return headers

        def payload(self, _: AWSRequest) -> str:
            return seen["x-amz-content-sha256"]

    keys = Credentials(KEYS["AccessKeyId"], KEYS["SecretAccessKey"])
    auth = Recomputed(keys, "s3", "eu-central-1")
    request = AWSRequest(method="PUT", url=url)
    request.context["timestamp"] = seen["x-amz-date"]
    text = auth.string_to_sign(request, auth.canonical_request(request))
    found: str = auth.signature(text, request)
    return found


def test_aws_would_believe_the_signature(endpoint: str, tmp_path: Path) -> None:
    where = {"endpoint": endpoint, "bucket": "b", "region": "eu-central-1"}
    words = load().curl_words(where, KEYS, "shop-20261126T020000Z.dump")
    (tmp_path / "dump").write_text("a dump", encoding="utf-8")
    command = ["curl", "--config", "-", "--upload-file", str(tmp_path / "dump")]
    subprocess.run(command, input=words, text=True, check=True)
    authorization = Bucket.seen["authorization"]
    (signed,) = re.findall(r"SignedHeaders=([^,]+)", authorization)
    assert {"x-amz-security-token", "x-amz-content-sha256"} <= set(signed.split(";"))
    url = f"{endpoint}/b/backups/shop-20261126T020000Z.dump"
    assert authorization.endswith(f"Signature={signature(url, Bucket.seen, signed.split(';'))}")


@pytest.fixture
def parted(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, dict[str, bytes]]:
    """The program with parts of 10 bytes, and a bucket in memory."""
    module, objects = load(), {}

    def transfer(key: str, way: str, path: str) -> None:
        if way == "--upload-file":
            objects[key] = Path(path).read_bytes()
        else:
            Path(path).write_bytes(objects[key])

    monkeypatch.setattr(module, "transfer", transfer)
    monkeypatch.setattr(module, "PART", 10)
    return module, objects


@pytest.mark.parametrize(("size", "parts"), [(0, 1), (9, 1), (10, 1), (11, 2), (35, 4)])
def test_a_dump_is_stored_in_parts(
    parted: tuple[ModuleType, dict[str, bytes]], tmp_path: Path, size: int, parts: int
) -> None:
    module, objects = parted
    dump = tmp_path / "dump"
    dump.write_bytes(bytes(range(size)))
    module.upload(dump, "d")
    assert list(objects) == [*(f"d.{number}" for number in range(parts)), "d"]
    assert all(len(objects[f"d.{number}"]) <= 10 for number in range(parts))
    fetched = module.download(tmp_path, "d")
    assert fetched.read_bytes() == dump.read_bytes()


def test_a_damaged_backup_is_not_restored(
    parted: tuple[ModuleType, dict[str, bytes]], tmp_path: Path
) -> None:
    module, objects = parted
    dump = tmp_path / "dump"
    dump.write_bytes(bytes(range(25)))
    module.upload(dump, "d")
    objects["d.1"] = b"something else"
    with pytest.raises(SystemExit, match="d is damaged"):
        module.download(tmp_path, "d")


def test_no_key_is_an_argument() -> None:
    text = PROGRAM.read_text(encoding="utf-8")
    assert '["curl", "--config", "-", *words]' in text


@pytest.mark.parametrize("words", [[], ["save", "now"], ["restore"], ["drop", "shop"]])
def test_other_words_are_refused_with_those_that_are_known(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, PROGRAM, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "restore latest" in done.stderr


def test_a_name_is_no_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = load()
    monkeypatch.setattr(module, "transfer", lambda *_: pytest.fail("nothing may be fetched"))
    with pytest.raises(SystemExit, match="no backup's name"):
        module.restore(tmp_path, "../releases/x.tar.gz")
