"""The ``canary`` command. Exit status: 0 pass, 1 fail, 2 could not run, 3 inconclusive."""

from __future__ import annotations

import importlib
import io
import keyword
import sys
import traceback

import click

from canary.errors import CanaryError, ExitStatus, Interruption

COMMANDS = {
    "alarms": "List the newest changes of alarms.",
    "analyze": "Judge a past window of metrics.",
    "approve": "Let a waiting canary continue.",
    "attach": "Follow a canary that another process controls.",
    "build": "Build a release into a file.",
    "check": "Validate a policy.",
    "deploy": "Build a release, and install it on the idle colour.",
    "doctor": "Find problems in an AWS account.",
    "drill": "Check that the policy refuses a bad release.",
    "history": "List the newest canaries.",
    "import-kayenta": "Convert a Kayenta configuration to a policy.",
    "init": "Write the first policy of an environment.",
    "plan": "Show which harm a canary can find, how fast, and at what cost.",
    "promote": "Make a colour live.",
    "rehearse": "Learn the noise of an environment, and count false alarms.",
    "replay": "Judge a recording again.",
    "report": "Print the report of a canary.",
    "resume": "Resume a canary whose controller was killed.",
    "rollback": "Take all traffic from the candidate.",
    "run": "Release a candidate step by step.",
    "schema": "Print the JSON Schema of a policy.",
    "status": "Show the state of each colour, and the lock.",
    "stop": "End a canary, and return its traffic.",
    "suggest": "Propose a policy from history.",
    "try": "Show a good and a bad release on a simulated service.",
    "watch": "Serve the page of a canary.",
}
"""Each command with its line of ``canary --help``, so that the help imports no command.

A command is a function in a module of the same name, with "_" for "-" and "_" after a keyword.
"""


class Lazy(click.Group):
    """Imports a command's module when it is called, so that help and a rollback start at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click asks so
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click asks so
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_") + "_" * keyword.iskeyword(cmd_name)
        command: click.Command = getattr(importlib.import_module(f"canary.cli.{name}"), name)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click asks so
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="cart-canary")
def cli() -> None:
    """Compare a candidate release with its baseline, and move traffic accordingly.

    Exit status: 0 pass, 1 fail, 2 could not run, 3 inconclusive.

    \b
    Example:
      canary run --env local --candidate v1.5.0
    """


def main() -> None:
    """Run a command. Every error exits with status 2, so that none looks like FAIL."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may not know every character
            stream.reconfigure(errors="replace")
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
    except SystemExit:  # click raises this, with status 1, when the reader of the output has gone
        status = ExitStatus.COULD_NOT_RUN
    except Exception:  # a bug: print the traceback, but do not exit as a verdict
        traceback.print_exc()
        status = ExitStatus.COULD_NOT_RUN
    sys.exit(status if isinstance(status, int) else 0)
