"""The ``canary`` command. Exit status: 0 pass, 1 fail, 2 could not run, 3 inconclusive."""

from __future__ import annotations

import sys
import traceback

import click

from canary.cli.past import history, report
from canary.cli.policy import check, schema
from canary.cli.run import run
from canary.cli.traffic import approve, promote, rollback, status
from canary.errors import CanaryError
from canary.rollout.outcome import ExitStatus
from canary.rollout.ports import Interruption


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="cart-canary")
def cli() -> None:
    """Judge a candidate release against its baseline, and move traffic accordingly.

    Exit status: 0 pass, 1 fail, 2 could not run, 3 inconclusive.

    \b
    Example:
      canary run --env local --candidate v1.5.0
    """


for _command in (approve, check, history, promote, report, rollback, run, schema, status):
    cli.add_command(_command)


def main() -> None:
    """Run a command; whatever happens, status 1 means FAIL and nothing else."""
    try:
        status = cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = ExitStatus.COULD_NOT_RUN
    except (CanaryError, OSError) as error:
        click.echo(f"canary: {error}", err=True)
        status = ExitStatus.COULD_NOT_RUN
    except (click.Abort, KeyboardInterrupt, Interruption) as error:
        click.echo(f"canary: stopped by {str(error) or 'Ctrl-C'}", err=True)
        status = ExitStatus.COULD_NOT_RUN
    except Exception:  # a bug: show it whole, but never as a verdict
        traceback.print_exc()
        status = ExitStatus.COULD_NOT_RUN
    sys.exit(status if isinstance(status, int) else 0)
