"""Requests to Prometheus with a password, and signed for AWS."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from canary.environment import PrometheusSource, parse_environment
from canary.errors import SourceError
from canary.sources.prometheus import Prometheus
from tests.unit.canary.prometheus_server import ARMS, LATENCY, QUERY, Server, server, source
from tests.unit.canary.test_environment import GOOD

__all__ = ["server"]


def test_user_and_password_of_the_address_are_sent_as_a_header(server: Server) -> None:
    asked = source(server, user="me:p%40ss@")
    asked.read([QUERY], ARMS, 60, 70)
    assert server.headers[0]["Authorization"] == "Basic bWU6cEBzcw=="  # me:p@ss
    server.status, server.answer = 401, {"message": "Unauthorized"}
    with pytest.raises(SourceError, match=r"status 401.*Unauthorized") as caught:
        asked.read([QUERY], ARMS, 60, 70)
    assert "p%40ss" not in f"{caught.value}{asked.describe()}"


def test_a_request_to_aws_is_signed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server computes the signature again from the request, as AWS does."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    source(server, sigv4={"region": "eu-west-1"}).read([QUERY], ARMS, 60, 70)
    assert len(server.headers) == 2
    for headers, path, body in zip(server.headers, server.paths, server.bodies, strict=True):
        assert headers["X-Amz-Security-Token"] == "token"
        assert "/eu-west-1/aps/aws4_request" in headers["Authorization"]
        assert headers["Authorization"].endswith(signature(headers, path, body, "wJalrXUtnFEMI"))
        assert not headers["Authorization"].endswith(signature(headers, path, body, "another"))


def signature(headers: dict[str, str], path: str, body: bytes, secret: str) -> str:
    """Sign a received request, with the headers that it lists as signed."""
    signed = headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    kept = {name: value for name, value in headers.items() if name.lower() in signed}
    request = AWSRequest("POST", f"http://{headers['Host']}{path}", kept, body)
    request.context["timestamp"] = headers["X-Amz-Date"]
    auth = SigV4Auth(Credentials("AKIDEXAMPLE", secret, "token"), "aps", "eu-west-1")
    canonical = auth.canonical_request(request)
    return str(auth.signature(auth.string_to_sign(request, canonical), request))


def test_a_request_without_credentials_is_a_sentence(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(SourceError, match="no AWS credentials were found; set"):
        source(server, sigv4={"region": "eu-west-1"}).read([QUERY], ARMS, 60, 70)
    assert server.asked == []


def test_a_password_in_the_address_is_never_printed() -> None:
    settings = {
        "kind": "prometheus",
        "url": "http://me:s3cret@127.0.0.1:9",
        "queries": {"latency": {"value": LATENCY}},
    }
    environment = parse_environment(GOOD | {"source": settings})
    assert isinstance(environment.source, PrometheusSource)
    asked = Prometheus(environment.source, environment, 5)
    with pytest.raises(SourceError, match=r"at http://127\.0\.0\.1:9/api") as caught:
        asked.read([QUERY], ARMS, 60, 70)
    assert "s3cret" not in f"{caught.value}{asked.describe()}"
