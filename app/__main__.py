"""``python -m app``: serve the shop on this machine, or run one of its commands.

Exit status: 0 done, 1 the server failed, 2 the command could not run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from app.commands import list_commits, migrate, seed
from app.errors import ProblemError
from app.server import serve
from app.settings import SettingsError, read_settings
from app.store.migrations import MigrationError

CANNOT_RUN = 2
EXAMPLES = """\
Examples:
  python -m app
  python -m app migrate
  python -m app seed --products 100
  python -m app list-commits https://github.com/bottlepy/bottle --limit 5
"""


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(read_settings(), chosen))
    except (SettingsError, MigrationError, ProblemError) as error:
        sys.stderr.write(f"shop: {error}\n")
        return CANNOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="A shop: carts and a catalogue over HTTP. Settings: app/README.md.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=lambda settings, _: serve(settings))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    commands.add_parser("serve", help="serve until told to stop (the default)")
    command = commands.add_parser("migrate", help="migrate the schema of the store to this release")
    command.set_defaults(run=migrate)
    command = commands.add_parser("seed", help="store generated products")
    command.add_argument("--products", type=int, default=100, metavar="N")
    command.add_argument("--seed", type=int, default=42, metavar="NUMBER")
    command.set_defaults(run=seed)
    command = commands.add_parser("list-commits", help="list the commits of a public repository")
    command.add_argument("url", help="https address on a host of SHOP_GIT_HOSTS")
    command.add_argument("--limit", type=int, default=50, metavar="N")
    command.set_defaults(run=list_commits)
    return parser


if __name__ == "__main__":
    sys.exit(main())
