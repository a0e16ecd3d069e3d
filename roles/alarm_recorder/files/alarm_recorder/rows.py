"""Convert a message to its row. Pure: the same message always gives the same row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

Table = Literal["alarms", "canaries"]
NUMBERS = ("started", "ended")
TEXTS = ("canary", "baseline", "candidate", "live", "reason")


@dataclass(frozen=True)
class Row:
    """An item and its table."""

    table: Table
    item: Mapping[str, Any]


def row_of(body: str, message_id: str, sent: float, environment: str) -> Row:
    """Return the row of one message. Messages of unknown kinds get rows too."""
    envelope = _object(body)
    text = str(envelope.get("Message", body))
    told = _object(text)
    if "AlarmName" in told and "NewStateValue" in told:
        return _alarm(told, text, environment)
    if "canary" in told and "verdict" in told:
        return _canary(told, environment)
    moment = str(envelope.get("Timestamp") or datetime.fromtimestamp(sent, UTC).isoformat())
    return Row(
        "alarms",
        {
            "environment": environment,
            "change": f"{moment}#{envelope.get('MessageId', message_id)}",
            "time": moment,
            "alarm": "",
            "old": "",
            "new": "",
            "reason": str(envelope.get("Subject") or "a message that is about no alarm"),
            "message": text,
        },
    )


def _alarm(told: Mapping[str, Any], text: str, environment: str) -> Row:
    moment, new = str(told.get("StateChangeTime")), str(told["NewStateValue"])
    return Row(
        "alarms",
        {
            "environment": environment,
            # The key sorts by time. An alarm has only one change at a time.
            "change": f"{moment}#{told['AlarmName']}#{new}",
            "time": moment,
            "alarm": str(told["AlarmName"]),
            "old": str(told.get("OldStateValue", "")),
            "new": new,
            "reason": str(told.get("NewStateReason", "")),
            "message": text,
        },
    )


def _canary(told: Mapping[str, Any], environment: str) -> Row:
    """Return the row of a canary. ``canary`` writes it too, but may have failed."""
    item: dict[str, Any] = {name: str(told.get(name) or "") for name in TEXTS}
    item |= {name: Decimal(str(round(float(told.get(name, 0)), 3))) for name in NUMBERS}
    return Row(
        "canaries",
        {
            "environment": environment,
            **item,
            "verdict": str(told["verdict"] or "COULD NOT RUN"),
            "exit_status": int(told.get("exit_status", 2)),
            "who": "the alarm recorder, from the canary's message",
            "report": "",
        },
    )


def _object(text: str) -> dict[str, Any]:
    """Return the JSON object in a text, or an empty object if the text holds none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
