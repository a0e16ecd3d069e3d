"""Times, shares and event rates as options."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import click

from canary.policy.quantities import parse_duration, parse_share


class Moment(click.ParamType[int]):
    """Seconds since the epoch, ISO 8601 with an offset, or ``-30m`` before now."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).strip()
        now = int(datetime.now(UTC).timestamp())
        try:
            if text == "now":
                return now
            if text.startswith("-"):
                return now - parse_duration(text[1:])
            if text.isdecimal():
                return int(text)
            parsed = datetime.fromisoformat(text)
        except ValueError:
            self.fail(
                f"{text!r} is not a time; write 2026-11-21T10:00Z, -30m, now, or seconds since "
                "the epoch",
                param,
                ctx,
            )
        if parsed.tzinfo is None:
            self.fail(f"{text!r} names no time zone; for UTC write {text}Z", param, ctx)
        return int(parsed.timestamp())


class Share(click.ParamType[float]):
    """``5%`` or ``0.05``."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            text = str(value)
            return parse_share(text if text.endswith("%") else float(text))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Events(click.ParamType[tuple[str, float]]):
    """``errors=0.5%``: the share of requests with the event of a count."""

    name = "events"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        metric, _, share = str(value).partition("=")
        try:
            found = float(share.removesuffix("%")) / (100 if share.endswith("%") else 1)
        except ValueError:
            found = -1.0
        if not metric or not 0 <= found <= 1:
            self.fail(
                f"{value!r} is not METRIC=SHARE of the requests, 0 to 1 or 0% to 100%; write "
                "errors=0.5%",
                param,
                ctx,
            )
        return metric, found


class Duration(click.ParamType[int]):
    """Seconds, or ``90s``, ``5m``, ``1h30m``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            text = str(value)
            return parse_duration(int(text) if text.isdecimal() else text)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Delay(click.ParamType[int]):
    """``200ms`` or ``1s``, in milliseconds."""

    name = "delay"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is not a delay; write 200ms or 1.5s", param, ctx)
        return round(float(found[1]) * (1000 if found[2] == "s" else 1))


MOMENT = Moment()
DURATION = Duration()
SHARE = Share()
EVENTS = Events()
DELAY = Delay()
