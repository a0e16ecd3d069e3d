"""The files of environments: ``.run/NAME``, or ``.run/ACCOUNT/NAME`` in an AWS account."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from canary.environment.fields import NAME
from canary.errors import PolicyError

RUN = Path(".run")
ACCOUNT = re.compile(r"\d{12}")
LONGEST = 40
VARIABLE = "CART_CANARY_AWS_ACCOUNT"


def directory_of(name: str, account: str | None) -> Path:
    """Return the directory of an environment's files."""
    return RUN / (account or "") / name


def environments() -> list[str]:
    """Return the names of the environments that have a policy here."""
    return sorted({path.parent.name for path in (*RUN.glob("*/canary.yml"), *_in_accounts("*"))})


def require_name(name: str) -> None:
    """Refuse a text that cannot name an environment, such as a path or a wildcard."""
    if not re.fullmatch(NAME, name):
        raise PolicyError(
            f"{name[:LONGEST]!r} is not the name of an environment. A name has up to 31 lower-case "
            "letters, digits and dashes, and starts with a letter, such as prod"
        )


def find_directory(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the directory of the environment called ``name``.

    Raises:
        PolicyError: several accounts have one, and no variable says which is meant.
    """
    require_name(name)
    if (RUN / name / "canary.yml").is_file():
        return RUN / name
    found = {path.parent.parent.name: path.parent for path in _in_accounts(name)}
    meant = environ.get(VARIABLE, "")
    if len(found) > 1 and meant not in found:
        raise PolicyError(
            f"Environment {name} is in accounts {', '.join(found)}. Name one: "
            f"export {VARIABLE}={next(iter(found))}"
        )
    if meant in found:
        return found[meant]
    return next(iter(found.values()), directory_of(name, meant))


def find_needs(env: str) -> Path:
    """Return the file of what an environment needs of its account; a policy may not exist yet."""
    require_name(env)
    found = [*RUN.glob(f"{env}/needs.json"), *RUN.glob(f"*/{env}/needs.json")]
    account = os.environ.get(VARIABLE)
    meant = [path for path in found if path.parent.parent.name == account] or found
    if len(meant) > 1:
        raise PolicyError(f"Environment {env} is in several accounts: export {VARIABLE}=...")
    return meant[0] if meant else directory_of(env, account) / "needs.json"


def _in_accounts(name: str) -> list[Path]:
    found = RUN.glob(f"*/{name}/canary.yml")
    return sorted(path for path in found if ACCOUNT.fullmatch(path.parent.parent.name))
