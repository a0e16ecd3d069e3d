"""``python -m app``: serve the shop on this machine until it is told to stop."""

from __future__ import annotations

import sys

from app.server import serve
from app.settings import SettingsError, read_settings

CANNOT_START = 2


def main() -> int:
    try:
        settings = read_settings()
    except SettingsError as error:
        sys.stderr.write(f"shop: {error}\n")
        return CANNOT_START
    return serve(settings)


if __name__ == "__main__":
    sys.exit(main())
