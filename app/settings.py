"""The settings: all SHOP_ variables, read and validated at start.

An instance of ``Settings`` is always valid. ``SettingsError`` has a message for the operator.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

#: The directory of the release, with ``app/`` and ``release.json``.
RELEASE_DIRECTORY = Path(__file__).resolve().parent.parent
LAPTOP = "laptop"


class SettingsError(Exception):
    """An invalid setting. The message names the value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, each documented in app/README.md."""

    environment: str = LAPTOP
    colour: str = "none"
    release: str = "dev"
    instance: str = "localhost"
    host: str = "127.0.0.1"
    port: int = 8080
    health_port: int = 0
    workers: int = 2
    threads: int = 4
    database_url: str = ""
    redis_url: str = ""
    state_directory: Path = Path(".run/shop")
    run_directory: Path = Path(".run/shop/run")
    metrics_sink: str = "none"
    metrics_period: int = 5
    metrics_namespace: str = "Shop"
    log_requests: bool = True
    body_limit: int = 65_536
    cart_ttl: int = 7 * 86_400
    product_ttl: int = 3_600
    drain_seconds: float = 0.0
    migration_seconds: float = 20.0
    git_hosts: tuple[str, ...] = ("github.com", "gitlab.com", "codeberg.org")
    git_ca: str = ""
    unjudged_routes: tuple[str, ...] = ("/list-commits",)
    faults: str = ""
    allow_faults: str = ""
    fault_seed: int = 20_261_120

    @property
    def lame_duck_file(self) -> Path:
        """While this file exists, the instance is not ready."""
        return self.run_directory / "lame-duck"

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite:")


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings from ``environ``, with defaults for local use."""
    env = {**release_environment(RELEASE_DIRECTORY / "app" / "release.env"), **_filled(environ)}
    deployed = "SHOP_ENVIRONMENT" in env
    state = Path(env.get("SHOP_STATE_DIRECTORY") or env.get("STATE_DIRECTORY") or ".run/shop")
    run = Path(env.get("SHOP_RUN_DIRECTORY") or env.get("RUNTIME_DIRECTORY") or state / "run")
    default = Settings()
    return Settings(
        environment=env.get("SHOP_ENVIRONMENT", LAPTOP),
        colour=env.get("SHOP_COLOUR", default.colour),
        release=env.get("SHOP_RELEASE") or release_name(RELEASE_DIRECTORY),
        instance=env.get("SHOP_INSTANCE") or socket.gethostname(),
        host=env.get("SHOP_HOST", "0.0.0.0" if deployed else "127.0.0.1"),  # noqa: S104
        port=_whole(env, "SHOP_PORT", default.port, 1, 65_535),
        health_port=_whole(env, "SHOP_HEALTH_PORT", default.health_port, 0, 65_535),
        workers=_whole(env, "SHOP_WORKERS", default.workers, 1, 64),
        threads=_whole(env, "SHOP_THREADS", default.threads, 1, 64),
        database_url=_database_url(env, state),
        redis_url=_redis_url(env),
        state_directory=state,
        run_directory=run,
        metrics_sink=_choice(env, "SHOP_METRICS_SINK", default.metrics_sink, "cloudwatch", "none"),
        metrics_period=_whole(env, "SHOP_METRICS_PERIOD", default.metrics_period, 1, 3_600),
        metrics_namespace=env.get("SHOP_METRICS_NAMESPACE", default.metrics_namespace),
        log_requests=_choice(env, "SHOP_LOG_REQUESTS", "1", "0", "1") == "1",
        body_limit=_whole(env, "SHOP_BODY_LIMIT", default.body_limit, 1_024, 10_000_000),
        cart_ttl=_whole(env, "SHOP_CART_TTL", default.cart_ttl, 1, 10**9),
        product_ttl=_whole(env, "SHOP_PRODUCT_TTL", default.product_ttl, 1, 10**9),
        drain_seconds=_seconds(env, "SHOP_DRAIN_SECONDS", default.drain_seconds),
        migration_seconds=_seconds(env, "SHOP_MIGRATION_SECONDS", default.migration_seconds),
        git_hosts=_words(env, "SHOP_GIT_HOSTS", default.git_hosts),
        git_ca=env.get("SHOP_GIT_CA", ""),
        unjudged_routes=_words(env, "SHOP_UNJUDGED_ROUTES", default.unjudged_routes),
        faults=env.get("SHOP_FAULTS", ""),
        allow_faults=env.get("SHOP_ALLOW_FAULTS", ""),
        fault_seed=_whole(env, "SHOP_FAULT_SEED", default.fault_seed, 0, 2**63),
    )


def release_environment(path: Path) -> dict[str, str]:
    """Return the settings of the release itself; only SHOP_FAULTS is allowed.

    Otherwise a release could change the database or its own name.
    """
    if not path.exists():
        return {}
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    for name, _, _ in pairs:
        if name != "SHOP_FAULTS":
            raise SettingsError(f"{path}: a release cannot set {name!r}; only SHOP_FAULTS.")
    return {name: value.strip().strip("\"'") for name, _, value in pairs if value.strip()}


def release_name(directory: Path) -> str:
    """Return the name in release.json of the artifact, or "dev" in a working tree."""
    try:
        document = json.loads((directory / "release.json").read_text(encoding="utf-8"))
        return str(document["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return "dev"


def _filled(environ: Mapping[str, str]) -> dict[str, str]:
    """Drop empty variables: environment files often contain them."""
    return {name: value for name, value in environ.items() if value.strip()}


def _database_url(env: Mapping[str, str], state: Path) -> str:
    url = env.get("SHOP_DATABASE_URL") or f"sqlite:///{(state / 'shop.db').absolute()}"
    if re.match(r"(postgres(ql)?://|sqlite:///).", url):
        return url
    raise SettingsError(
        f"SHOP_DATABASE_URL is {_hide_password(url)!r}; write postgresql://user@host/name "
        "or sqlite:///path/to/file."
    )


def _redis_url(env: Mapping[str, str]) -> str:
    url = env.get("SHOP_REDIS_URL", "")
    if url and not re.match(r"(rediss?|unix)://.", url):
        raise SettingsError(
            f"SHOP_REDIS_URL is {_hide_password(url)!r}; write redis://host:6379/0, "
            "or leave it empty for a cache inside each process."
        )
    return url


def _hide_password(url: str) -> str:
    return re.sub(r"//[^@/]*@", "//...@", url)


def _choice(env: Mapping[str, str], name: str, default: str, *allowed: str) -> str:
    value = env.get(name, default)
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}; write one of {', '.join(allowed)}.")
    return value


def _words(env: Mapping[str, str], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(re.split(r"[,\s]+", env[name].strip())) if name in env else default


def _whole(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    return _number(env, name, default, low, high, int, "a whole number")


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    return _number(env, name, default, 0.0, 600.0, float, "a number of seconds")


def _number(
    env: Mapping[str, str],
    name: str,
    default: T,
    low: float,
    high: float,
    convert: Callable[[str], T],
    kind: str,
) -> T:
    if name not in env:
        return default
    try:
        value = convert(env[name])
        if low <= value <= high:  # type: ignore[operator]
            return value
    except ValueError:
        pass
    raise SettingsError(f"{name} is {env[name]!r}; write {kind} from {low} to {high}.")
