"""The commands besides the server. They use the same services as the routes."""

from __future__ import annotations

import argparse
import random
import sys

from app.errors import StoreUnavailableError
from app.faults import Faults
from app.services.catalogue import Catalogue
from app.services.commits import MAX_LIMIT, Commits
from app.settings import Settings, SettingsError
from app.store import open_store
from app.wsgi import open_cache

_KINDS = ("Television", "Sweater", "Lamp", "Kettle", "Bicycle", "Radio", "Chair", "Clock")
_MANNERS = ("ugly", "plain", "bright", "quiet", "small", "large", "old", "new")


def migrate(settings: Settings, _: argparse.Namespace) -> int:
    """Migrate the schema of the store to this release."""
    store = open_store(settings)
    try:
        store.migrate(settings.migration_seconds)
    except StoreUnavailableError as error:
        raise SettingsError(f"The store does not respond: {error.reason}") from error
    finally:
        store.close()
    sys.stdout.write("The store has this release's schema.\n")
    return 0


def seed(settings: Settings, chosen: argparse.Namespace) -> int:
    """Store products 1 to N; the same seed gives the same products."""
    chance = random.Random(chosen.seed)  # noqa: S311 - repeatable on purpose
    store = open_store(settings)
    store.migrate(settings.migration_seconds)
    catalogue = Catalogue(store, open_cache(settings, lambda _: None, Faults(settings), near=False))
    for number in range(1, chosen.products + 1):
        name = f"{chance.choice(_MANNERS).capitalize()} {chance.choice(_KINDS).lower()} {number}"
        catalogue.put(number, name, chance.randrange(100, 100_000))
    store.close()
    sys.stdout.write(f"{chosen.products} products are in the catalogue.\n")
    return 0


def list_commits(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print one line a commit, newest first."""
    limit = max(1, min(chosen.limit, MAX_LIMIT))
    commits, more = Commits(settings).page(chosen.url, limit, 0)
    for each in commits:
        sys.stdout.write(f"{each.hash[:12]}  {each.date}  {each.author}  {each.subject}\n")
    if more:
        sys.stderr.write(f"There are more; the newest {limit} are shown.\n")
    return 0
