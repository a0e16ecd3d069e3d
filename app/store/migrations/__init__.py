"""SQL files in order, one directory for each database. A file never changes after it has run.

Alembic is not used because it needs SQLAlchemy on every host, yoyo because its lock is a row that
stays after a kill. Each file runs in one transaction, under a lock that ends with its connection,
so blue and green can start together. Expand first, contract in a later release: an older release
must accept the schema of a newer one.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL
)
"""


class MigrationError(Exception):
    """The files do not match the migrations that the database has run."""


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def statements(self) -> Iterator[str]:
        """Yield the statements one by one; a comment stays with the statement after it."""
        text = ""
        for line in self.sql.splitlines(keepends=True):
            text += line
            if sqlite3.complete_statement(text):
                yield text
                text = ""


def migrations(dialect: str, directory: Path = Path(__file__).parent) -> list[Migration]:
    """Return the migrations of ``dialect`` (postgres or sqlite) in order."""
    return [
        Migration(int(path.stem.split("_")[0]), path.stem, path.read_text(encoding="utf-8"))
        for path in sorted((directory / dialect).glob("[0-9]*.sql"))
    ]


def pending(known: list[Migration], applied: Mapping[int, str]) -> list[Migration]:
    """Return the migrations that have not run; ``applied`` maps versions to sha256."""
    for migration in known:
        if applied.get(migration.version, migration.sha256) != migration.sha256:
            raise MigrationError(
                f"Migration {migration.name} was changed after it ran. "
                "Restore it, and write the change as a new file."
            )
    return [migration for migration in known if migration.version not in applied]
