"""A client that calls the shop through WSGI with wsgiref's validator."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from app.settings import Settings
from app.wsgi import create_app
from tests.support.answer import Answer
from tests.support.app_bad_input import cart


class Client:
    def __init__(self, settings: Settings) -> None:
        self._app = validator(create_app(settings))

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, None, **headers)

    def post(self, path: str, body: object, **headers: str) -> Answer:
        """Send a body: bytes unchanged, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", path, content, **headers)

    def ask(self, method: str, path: str, body: bytes | None, **headers: str) -> Answer:
        path, _, query = path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }
        if body is not None:
            environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        setup_testing_defaults(environ)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, answered: list[tuple[str, str]], _: Any = None, /) -> Any:
            started.append((status, answered))
            return lambda _: None

        answer = self._app(environ, start)
        content = b"".join(answer)
        answer.close()  # type: ignore[attr-defined]
        status, answered = started[0]
        return Answer(int(status.split()[0]), dict(answered), content)


def settings(directory: Path, **changes: Any) -> Settings:
    return Settings(
        **{
            "state_directory": directory,
            "run_directory": directory / "run",
            "database_url": f"sqlite:///{directory / 'shop.db'}",
            "log_requests": False,
            "release": "abc123",
            "colour": "blue",
            "instance": "i-1",
            **changes,
        }
    )


def new_cart(client: Client, **changes: Any) -> dict[str, Any]:
    """Create a cart with one changed item, and return the response."""
    answer = client.post("/cart", cart(**changes))
    assert answer.status == 200, answer.body
    made: dict[str, Any] = answer.json()
    return made
