"""The settings in the service's environment file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST_PERIOD = 60


@dataclass(frozen=True)
class Target:
    """One URL, its name in metrics, and its expected status."""

    name: str
    url: str
    status: int = 200


@dataclass(frozen=True)
class Settings:
    environment: str
    namespace: str
    targets: tuple[Target, ...]
    period: int
    limit: float
    port: int
    backups: str = ""
    """Bucket in which to watch the newest backup; empty: none."""

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Settings:
        """Read PROBER_*; exit with a message if a value is invalid."""
        try:
            settings = cls(
                environment=environ["PROBER_ENVIRONMENT"],
                namespace=environ["PROBER_NAMESPACE"],
                targets=tuple(Target(**each) for each in json.loads(environ["PROBER_URLS"])),
                period=int(environ["PROBER_PERIOD"]),
                limit=float(environ["PROBER_LIMIT"]),
                port=int(environ["PROBER_PORT"]),
                backups=environ.get("PROBER_BACKUPS", ""),
            )
        except KeyError as error:
            raise SystemExit(f"prober: {error.args[0]} is not set") from None
        except (TypeError, ValueError) as error:
            raise SystemExit(f"prober: the settings can't be read: {error}") from None
        return settings.checked()

    def checked(self) -> Settings:
        """Return these settings if they are valid."""
        if not 1 <= self.period <= LONGEST_PERIOD:
            raise SystemExit(f"prober: PROBER_PERIOD is {self.period}; 1 to {LONGEST_PERIOD} fit")
        if not 0 < self.limit < self.period:
            raise SystemExit(
                f"prober: PROBER_LIMIT is {self.limit:g}; it must be above 0 and below the "
                f"period of {self.period} s, so that a probe ends before the next begins"
            )
        for target in self.targets:
            parts = urlsplit(target.url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise SystemExit(
                    f"prober: {target.url!r} is no address to probe; write one like "
                    "http://192.0.2.1/status"
                )
        names = [target.name for target in self.targets]
        if len(set(names)) < len(names):
            raise SystemExit(f"prober: each URL needs its own name; there are {', '.join(names)}")
        return self
