"""``canary import-kayenta``: a Kayenta configuration as a policy."""

from __future__ import annotations

from pathlib import Path

import click

from canary.errors import PolicyError
from canary.kayenta.configuration import convert
from canary.reading import SMALL, read_text


@click.command()
@click.argument("config_file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write the policy to this file instead of stdout.",
)
def import_kayenta(config_file: Path, output: Path | None) -> None:
    """Convert FILE, a Kayenta canary configuration (JSON), to a policy (YAML).

    The policy goes to stdout. Notes go to stderr, one per line: each assumption, and each
    setting that could not be converted. Read them before you use the policy.

    Exit status: 0 converted, 2 FILE is not a Kayenta configuration.

    \b
    Example:
      canary import-kayenta canary-config.json -o policy.yml
    """
    try:
        text = read_text(config_file, SMALL)
    except UnicodeDecodeError as error:
        raise PolicyError(f"{config_file} is not a text file: {error}") from error
    except OSError as error:
        raise PolicyError(f"{config_file} cannot be read: {error}") from error
    found = convert(text, str(config_file))
    for note in found.notes:
        click.echo(note, err=True)
    if output is None:
        click.echo(found.text, nl=False)
    else:
        output.write_text(found.text, encoding="utf-8")
        click.echo(f"Wrote {output}. Check it: canary check {output}", err=True)
