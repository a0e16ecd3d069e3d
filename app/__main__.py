"""``python -m app``: serve the shop on this machine until it is told to stop."""

from __future__ import annotations

import sys

from app.server import serve
from app.settings import SettingsError, read_settings
from app.store.migrations import MigrationError

CANNOT_START = 2


def main() -> int:
    try:
        return serve(read_settings())
    except (SettingsError, MigrationError) as error:
        sys.stderr.write(f"shop: {error}\n")
        return CANNOT_START


if __name__ == "__main__":
    sys.exit(main())
