"""Freeze windows, in which no release may start. Rollback and promotion are always allowed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
WHOLE_DAY = timedelta(days=1)
MOST = 1000
"""The most adjoining windows that are followed to find the end of a freeze."""


class Freeze(BaseModel):
    """A freeze window: once, from ``start`` to ``end``, or every week on ``days``.

    On ``days`` it lasts from ``begins`` to ``ends``, past midnight if it ends before it begins.
    Both are times of day in ``timezone``; without them it is the whole day.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    why: Annotated[str, Field(min_length=1)]
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    days: tuple[Day, ...] = ()
    begins: time = time(0)
    ends: time = time(0)
    timezone: str = "UTC"

    @field_validator("begins", "ends", mode="before")
    @classmethod
    def _time_of_day(cls, value: object) -> object:
        # Unquoted, YAML reads 18:00 as the number 1080.
        if isinstance(value, time) or (isinstance(value, str) and CLOCK.fullmatch(value)):
            return value
        raise ValueError(f'{value!r} is not a time of day; write it in quotes, as "18:00"')

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{name!r} is not a time zone; write UTC or Europe/Berlin") from None
        return name

    @model_validator(mode="after")
    def _once_or_weekly(self) -> Freeze:
        once = self.start is not None and self.end is not None
        half = self.start is not None or self.end is not None
        if once == bool(self.days) or (half and not once):
            raise ValueError(
                f"freeze {self.why!r} needs either start and end, as 2026-12-20T18:00:00Z, or "
                "days, as [sat, sun]"
            )
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(f"freeze {self.why!r} ends at {self.end}, before it starts")
        return self

    def until(self, now: datetime) -> datetime | None:
        """Return when the window around ``now`` ends, or None."""
        if self.start is not None and self.end is not None:
            return self.end if self.start <= now < self.end else None
        zone = ZoneInfo(self.timezone)
        today = now.astimezone(zone).date()
        length = timedelta(0) if self.begins < self.ends else WHOLE_DAY
        for date in (today, today - WHOLE_DAY):
            if DAYS[date.weekday()] not in self.days:
                continue
            first = datetime.combine(date, self.begins, zone)
            last = datetime.combine(date + length, self.ends, zone)
            if first <= now < last:
                return last
        return None


def frozen(freezes: Sequence[Freeze], now: float) -> str:
    """Return why no release may start at ``now``, and until when; empty if one may."""
    moment = datetime.fromtimestamp(now, UTC)
    reasons: list[str] = []
    for _ in range(MOST):
        ends = {freeze.why: end for freeze in freezes if (end := freeze.until(moment))}
        if not ends:
            break
        reasons += [why for why in ends if why not in reasons]
        moment = max(end.astimezone(UTC) for end in ends.values())
    if not reasons:
        return ""
    return f"{' and '.join(reasons)}, until {moment:%Y-%m-%d %H:%M UTC}"
