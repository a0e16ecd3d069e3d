"""The lock of an environment whose state is in files, on the proxy: ``shop-traffic lock``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from canary.errors import LockLostError, StateError, TrafficError
from canary.state.base import Holder

Name = Annotated[str, Field(min_length=1)]
NOBODY = "none"


class _Change(BaseModel):
    canary: Name
    who: str


class _Answer(BaseModel):
    """The JSON that ``shop-traffic lock`` prints."""

    holder: Holder | None
    last: _Change | None
    done: bool = True


class ProxyLock:
    """One record on the proxy host, changed by compare and swap.

    Attributes:
        ask: runs words of ``shop-traffic`` and returns what it printed.
    """

    def __init__(self, ask: Callable[..., str], environment: str) -> None:
        self._ask = ask
        self._environment = environment

    def holder(self) -> Holder | None:
        return self._answer().holder

    def take(self, holder: Holder, instead_of: Holder | None) -> bool:
        expected = f"{instead_of.canary}/{instead_of.beat}" if instead_of else NOBODY
        return self._swap(expected, holder).done

    def renew(self, holder: Holder) -> None:
        answer = self._swap(holder.canary, holder)
        if not answer.done:
            found = answer.holder
            now = f"canary {found.canary} of {found.who} has it" if found else "it is free"
            raise LockLostError(f"The lock of {self._environment} was lost: {now} now")

    def free(self, holder: Holder) -> None:
        self._swap(holder.canary, None)

    def last(self) -> tuple[str, str] | None:
        found = self._answer().last
        return None if found is None else (found.canary, found.who)

    def record(self, canary: str, who: str) -> None:
        self._answer("--last", json.dumps({"canary": canary, "who": who}))

    def _swap(self, expected: str, holder: Holder | None) -> _Answer:
        text = json.dumps(asdict(holder)) if holder else NOBODY
        return self._answer("--if", expected, "--holder", text)

    def _answer(self, *words: str) -> _Answer:
        try:
            text = self._ask("lock", *words)
        except TrafficError as error:
            raise StateError(f"The lock of {self._environment} is on the proxy: {error}") from error
        try:
            return _Answer.model_validate_json(text)
        except ValidationError as error:
            raise StateError(
                f"The proxy's answer about the lock of {self._environment} is not one: "
                f"{text[:200]!r}. Its shop-traffic may be older: run the role proxy"
            ) from error
