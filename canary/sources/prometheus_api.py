"""Prometheus' HTTP API: a query goes out, signed if need be, and series come back, or an error.

Only a complete answer of the expected shape is used. A password in the address goes into the
Authorization header, and is printed nowhere.
"""

from __future__ import annotations

import base64
import http.client
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from canary.environment import PrometheusSource, Sigv4
from canary.errors import SourceError
from canary.extras import needs
from canary.formatting import without_password
from canary.reading import RESPONSE, TooLargeError, read_all, read_json


@dataclass(frozen=True, slots=True)
class Answered:
    """One series of an answer: its labels, and its values by time; an infinite one is kept."""

    labels: dict[str, str]
    points: dict[int, float]


class PrometheusApi:
    """The API at one address."""

    def __init__(self, settings: PrometheusSource, patience: float) -> None:
        self.address = without_password(settings.url).rstrip("/")
        self._user = _user(settings.url)
        self._sigv4 = settings.sigv4
        self._patience = patience

    def range(self, query: str, first: int, last: int, step: int) -> list[Answered]:
        """Return the series of a range query."""
        window = {"query": query, "start": first, "end": last, "step": step}
        answer = self._post("query_range", window)
        return [_series(one, query) for one in _result(answer, query, self.address)]

    def at(self, query: str, time: int | None = None) -> list[Answered]:
        """Return the series of a query at a moment, by default now."""
        answer = self._post("query", {"query": query} | ({"time": time} if time else {}))
        return [_series(one, query) for one in _result(answer, query, self.address)]

    def _post(self, what: str, arguments: Mapping[str, Any]) -> Any:
        body = urllib.parse.urlencode(arguments).encode()
        url = f"{self.address}/api/v1/{what}"
        try:
            request = urllib.request.Request(url, body, self._headers(url, body))  # noqa: S310 - http(s), by schema
            with urllib.request.urlopen(  # noqa: S310 - http(s), by schema
                request, timeout=self._patience
            ) as response:
                return read_json(_whole(response))
        except urllib.error.HTTPError as error:
            with error:
                detail = error.read(500).decode(errors="replace")
            raise SourceError(
                f"Prometheus refused {arguments['query']!r} with status {error.code}: {detail}"
            ) from error
        except ValueError as error:
            raise SourceError(
                f"Prometheus at {url} did not return JSON (is it a page for signing in?): {error}"
            ) from error
        except http.client.HTTPException as error:
            raise SourceError(
                f"Prometheus at {url} ended in the middle of its answer: {error!r}"
            ) from error
        except TooLargeError as error:
            raise SourceError(
                f"The response of Prometheus at {url} is not used: {error}. Select fewer series, "
                "or a shorter window"
            ) from error
        except OSError as error:
            reason = getattr(error, "reason", error)  # urllib wraps what the system says
            raise SourceError(f"Prometheus at {url} did not respond: {reason}") from error

    def _headers(self, url: str, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self._sigv4 is not None:
            return signed(self._sigv4, url, body, headers)
        if self._user:
            headers["Authorization"] = f"Basic {base64.b64encode(self._user.encode()).decode()}"
        return headers


def signed(settings: Sigv4, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a request with AWS Signature Version 4."""
    with needs("cloudwatch", "Signing requests to Prometheus (sigv4)"):
        import botocore.session
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

    try:
        credentials = botocore.session.Session(profile=settings.profile).get_credentials()
    except BotoCoreError as error:
        raise SourceError(f"The request to Prometheus can't be signed: {error}") from error
    if credentials is None:
        raise SourceError(
            "The request to Prometheus can't be signed: no AWS credentials were found; set "
            "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    request = AWSRequest("POST", url, dict(headers), body)
    SigV4Auth(credentials.get_frozen_credentials(), settings.service, settings.region).add_auth(
        request
    )
    return dict(request.headers.items())


def _whole(response: http.client.HTTPResponse) -> bytes:
    """Return the body. Raise if it ended early, which ``read`` does not report."""
    body = read_all(response.read, RESPONSE)
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    return body


def _user(address: str) -> str:
    """Return ``user:password`` of an address, decoded, or an empty string."""
    user, at, _ = address.partition("://")[2].rpartition("@")
    return urllib.parse.unquote(user) if at else ""


def _result(answer: Any, query: str, address: str) -> list[Any]:
    """Return the series of an answer as they are."""
    if not isinstance(answer, dict):
        raise SourceError(f"{address} did not respond like Prometheus: {str(answer)[:80]}")
    if answer.get("status") != "success":
        raise SourceError(f"Prometheus refused {query!r}: {answer.get('error')}")
    if answer.get("warnings"):
        raise SourceError(
            f"Prometheus responded to {query!r} with warnings, so the data may be incomplete: "
            f"{'; '.join(map(str, answer['warnings']))[:300]}"
        )
    data = answer.get("data")
    data = data if isinstance(data, dict) else {}
    kind, result = data.get("resultType"), data.get("result")
    if kind not in ("vector", "matrix"):
        raise SourceError(
            f"Prometheus responded to {query!r} with {kind or 'no result'}, not with a series for "
            "each instance; a query selects a metric, as in: sum by (instance) (rate(x[{period}]))"
        )
    if not isinstance(result, list):
        raise SourceError(f"Prometheus responded to {query!r} without a list of series: {kind}")
    return result


def _series(one: Any, query: str) -> Answered:
    if isinstance(one, dict) and {"histogram", "histograms"} & set(one):
        raise SourceError(
            f"Prometheus responded to {query!r} with histograms; select one number, as in: "
            "histogram_quantile(0.99, sum by (instance) (rate(x[{period}])))"
        )
    try:
        pairs = one["values"] if "values" in one else [one["value"]] if "value" in one else []
        points = {int(float(moment)): float(text) for moment, text in pairs}
        labels = {str(name): str(value) for name, value in one["metric"].items()}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise SourceError(
            f"Prometheus responded to {query!r} with a series of an unknown shape: {str(one)[:120]}"
        ) from error
    return Answered(labels, {time: v for time, v in points.items() if not math.isnan(v)})
