"""Read a policy file, and list every fault at once."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from canary.errors import PolicyError
from canary.policy.schema import Policy
from canary.policy.yaml_text import UnreadableError, read_yaml
from canary.reading import SMALL, read_text

if typing.TYPE_CHECKING:
    from pydantic_core import ErrorDetails

VERSION = 1
OTHER_NAMES = {
    "quantile": "statistic: p90",
    "percentile": "statistic: p90",
    "direction": "harm: increase or harm: decrease",
    "threshold": "margin: 5%",
    "tolerance": "margin: 5%",
    "interval": "period: 60s",
    "query": "source: and the query",
}
"""What other programs call a key, and what to write here."""


def load_policy(path: Path | str) -> Policy:
    """Read and check the policy file at ``path``.

    Raises:
        PolicyError: the file is missing, not YAML, or not a policy; every fault is named.
    """
    path = Path(path)
    try:
        text = read_text(path, SMALL)
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"The policy {path} cannot be read: {error}.") from error
    return parse_policy(text, str(path))


def parse_policy(text: str, name: str = "policy") -> Policy:
    """Check the YAML ``text`` of a policy; ``name`` is its name in messages."""
    try:
        document = read_yaml(text)
    except UnreadableError as error:
        raise PolicyError(f"The policy {name} {error}.") from error
    if not isinstance(document, Mapping):
        raise PolicyError(
            f"The policy {name} holds {type(document).__name__}, not a mapping; the shortest is\n"
            "version: 1\nmetrics:\n- {name: latency, kind: latency}"
        )
    if (version := document.get("version")) != VERSION and isinstance(version, int):
        raise PolicyError(  # its other keys may mean something else, so none is named as a fault
            f"The policy {name} has version {version}, and this canary reads version {VERSION}. "
            "Install a canary for it, or write it again: canary init --help"
        )
    try:
        return Policy.model_validate(document)
    except ValidationError as error:
        faults = [_sentence(fault, document) for fault in _own_faults(error.errors())]
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise PolicyError(f"The policy {name} is not valid:\n{lines}") from error


def with_lead_in(policy: Policy, seconds: int) -> Policy:
    """Return the policy with another lead-in.

    Raises:
        PolicyError: it is too short.
    """
    try:
        return Policy.model_validate({**policy.model_dump(), "lead_in": seconds})
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise PolicyError(f"The lead-in cannot be used: {reason}") from error


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema that editors check a policy file with."""
    schema = Policy.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cart-canary policy",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _own_faults(faults: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Drop "too few items" where the items exist but have faults themselves."""
    places = [fault["loc"] for fault in faults]
    return [
        fault
        for fault in faults
        if fault["type"] != "too_short"
        or not any(place[: len(fault["loc"])] == fault["loc"] != place for place in places)
    ]


def _sentence(fault: ErrorDetails, document: Mapping[str, Any]) -> str:
    where = _place(fault["loc"], document)
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(fault["loc"], where)
    if kind == "missing":
        return f"{where} is missing."
    if kind == "literal_error":
        return f"{where} is {fault['input']!r}; allowed: {context['expected']}.{_near(fault)}"
    if kind == "value_error":
        message = str(context["error"])
        return f"{where}: {message}." if fault["loc"] else f"{message[0].upper()}{message[1:]}."
    message = fault["msg"]
    return f"{where} is {fault['input']!r}: {message[0].lower()}{message[1:]}."


def _near(fault: ErrorDetails) -> str:
    allowed = [
        word.strip("'") for word in fault["ctx"]["expected"].replace(" or ", ", ").split(", ")
    ]
    close = difflib.get_close_matches(str(fault["input"]), allowed, n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _unknown_key(loc: Sequence[int | str], where: str) -> str:
    known = list(_model_at(loc[:-1]).model_fields)
    close = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]}?" if close else f"Known keys: {', '.join(known)}."
    if (meant := OTHER_NAMES.get(str(loc[-1]), "")) and meant.partition(":")[0] in known:
        hint = f"Write {meant}."
    return f"{where} is not a key. {hint}"


def _model_at(loc: Sequence[int | str]) -> type[BaseModel]:
    model: type[BaseModel] = Policy
    for key in loc:
        if isinstance(key, str) and key in model.model_fields:
            model = _model_in(model.model_fields[key].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in typing.get_args(annotation))
    return next((model for model in found if model), None)


def _place(loc: Sequence[int | str], document: Mapping[str, Any]) -> str:
    """Return the place of a fault, such as ``metrics[2] (errors): margin``."""
    words, value = "", typing.cast(Any, document)
    for key in loc:
        words += f"[{key + 1}]" if isinstance(key, int) else f"{': ' if words else ''}{key}"
        value = _inside(value, key)
        if isinstance(key, int) and isinstance(value, Mapping) and "name" in value:
            words += f" ({value['name']})"
    return words or "The policy"


def _inside(value: Any, key: int | str) -> Any:
    try:
        return value[key]
    except (KeyError, IndexError, TypeError):
        return None
