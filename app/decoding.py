"""Decode a request body to a model, or raise a problem that names the field."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from app.errors import ProblemError

T = TypeVar("T")

_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_NAMED = re.compile(r"^(?P<name>[A-Za-z]+): (?P<what>.*)$", re.DOTALL)
_MISSING = re.compile(r"missing required field `(?P<name>\w+)`")


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode ``body`` to a model.

    Raises:
        ProblemError: 400 if it is not JSON, 422 if it does not fit the model.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid(str(error)) from None
    except msgspec.DecodeError as error:
        raise ProblemError(400, f"The body is not JSON: {error}.", "body") from None
    except UnicodeDecodeError:
        raise ProblemError(400, "The body is not JSON: it is not UTF-8.", "body") from None
    except RecursionError:
        raise ProblemError(
            400, "The body is not JSON that can be read: too deep.", "body"
        ) from None


def invalid(message: str) -> ProblemError:
    """Return the error of msgspec as a problem with the path of the field.

    >>> invalid("Expected `int`, got `str` - at `$.items[0].qty`").field
    'items[0].qty'
    """
    match = _PATH.match(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    if named := _NAMED.match(what):
        what, path = named["what"], f"{path}.{named['name']}"
    elif missing := _MISSING.search(what):
        path = f"{path}.{missing['name']}"
    field = path.lstrip(".") or "body"
    return ProblemError(422, f"{field}: {what[:300]}.", field)
