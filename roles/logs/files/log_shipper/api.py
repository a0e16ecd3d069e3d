"""Calls CloudWatch Logs as the host's own role, with only the standard library.

boto3 would cost each host 80 MB of memory and another package; a signed request costs neither.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

METADATA = "http://169.254.169.254/latest"
ROLES = "meta-data/iam/security-credentials/"
SERVICE = "Logs_20140328"
TYPE = "application/x-amz-json-1.1"


class RefusedError(Exception):
    """AWS refused a call; ``code`` is its reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


def metadata(path: str, token: str = "", method: str = "GET") -> str:
    """Read from the instance metadata service, version 2."""
    headers = {"X-aws-ec2-metadata-token": token} if token else {}
    if method == "PUT":
        headers = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    request = Request(f"{METADATA}/{path}", headers=headers, method=method)  # noqa: S310
    with urlopen(request, timeout=5) as answer:  # noqa: S310
        found: str = answer.read().decode()
    return found


def credentials() -> dict[str, str]:
    """Return the credentials of this host's role, which are valid for some hours."""
    token = metadata("api/token", method="PUT")
    found: dict[str, str] = json.loads(metadata(ROLES + metadata(ROLES, token).strip(), token))
    return found


def sign(
    url: str, headers: dict[str, str], body: bytes, keys: dict[str, str], region: str
) -> dict[str, str]:
    """Return the headers of AWS Signature Version 4, the date included."""
    scope = f"{headers['x-amz-date'][:8]}/{region}/logs/aws4_request"
    every = {**headers, "host": urlsplit(url).netloc, "x-amz-security-token": keys["Token"]}
    names = ";".join(sorted(every))
    listed = "".join(f"{name}:{every[name]}\n" for name in sorted(every))
    request = f"POST\n/\n\n{listed}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{keys['SecretAccessKey']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    words = f"Credential={keys['AccessKeyId']}/{scope}, SignedHeaders={names}"
    every["Authorization"] = f"AWS4-HMAC-SHA256 {words}, Signature={signature}"
    return every


class Api:
    """CloudWatch Logs of a region."""

    def __init__(self, region: str, endpoint: str = "") -> None:
        self.region = region
        self.url = f"{endpoint or f'https://logs.{region}.amazonaws.com'}/"

    def call(self, action: str, **parameters: Any) -> None:
        """Call an action.

        Raises:
            RefusedError: AWS refused it.
            OSError: AWS, or the metadata service, cannot be reached.
        """
        body = json.dumps(parameters).encode()
        headers = {
            "content-type": TYPE,
            "x-amz-date": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
            "x-amz-target": f"{SERVICE}.{action}",
        }
        signed = sign(self.url, headers, body, credentials(), self.region)
        request = Request(self.url, body, signed, method="POST")  # noqa: S310 - our own
        try:
            with urlopen(request, timeout=30):  # noqa: S310
                pass
        except urllib.error.HTTPError as error:
            raise refusal(error) from None


def refusal(error: urllib.error.HTTPError) -> RefusedError:
    """Return AWS's reason from an error response."""
    try:
        found = json.loads(error.read())
    except ValueError:
        found = {}
    code = str(found.get("__type", error.code)).rpartition("#")[2]
    return RefusedError(code, str(found.get("message") or found.get("Message") or error.reason))
