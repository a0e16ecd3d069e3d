"""The ``local-cloud`` command. Exit status: 0 done, 2 could not (with a sentence)."""

import sys
from pathlib import Path

import click

from local_cloud import cloud
from local_cloud.errors import HostError, LocalCloudError
from local_cloud.image import Image
from local_cloud.lone import start_host, stop_host
from local_cloud.settings import Settings

COULD_NOT = 2


@click.group()
@click.option("--state", type=click.Path(path_type=Path), help="State directory.")
@click.pass_context
def cli(context: click.Context, state: Path | None) -> None:
    """An emulated AWS whose EC2 instances are real Debian hosts on this machine.

    Example: local-cloud up
    """
    import os

    environment = dict(os.environ)
    if state is not None:
        environment["LOCAL_CLOUD_STATE"] = str(state)
    context.obj = Settings.load(environment)


@cli.command()
@click.pass_obj
def up(settings: Settings) -> None:
    """Bring the cloud up: base image, network, AWS, and the hosts that were there.

    Example: local-cloud up
    """
    changed = cloud.up(settings)
    click.echo(f"{'Up' if changed else 'Already up'}: {settings.endpoint}")


@cli.command()
@click.pass_obj
def down(settings: Settings) -> None:
    """Halt AWS and all hosts; `up` brings the same ones back.

    Example: local-cloud down
    """
    click.echo("Down." if cloud.down(settings) else "Already down.")


@cli.command()
@click.pass_obj
def destroy(settings: Settings) -> None:
    """Remove hosts, their disks, AWS's state and the network: the machine is as it was.

    Example: local-cloud destroy
    """
    click.echo("Destroyed." if cloud.destroy(settings) else "There is no local cloud here.")


@cli.command()
@click.pass_obj
def image(settings: Settings) -> None:
    """Build the base image unless it is there, and print its directory.

    Example: local-cloud image
    """
    built = Image(settings.images)
    built.build()
    click.echo(built.root)


@cli.group()
def host() -> None:
    """Boot and remove a lone host, without EC2.

    Example: local-cloud host start molecule --ip 10.77.200.10 --key ~/.ssh/id_ed25519.pub
    """


@host.command("start")
@click.argument("name")
@click.option("--ip", required=True, help="Address within the cloud's network.")
@click.option("--key", "keys", multiple=True, type=click.Path(path_type=Path), help="Public key.")
@click.pass_obj
def host_start(settings: Settings, name: str, ip: str, keys: tuple[Path, ...]) -> None:
    """Boot host NAME and wait until it answers by SSH; user admin.

    Example: local-cloud host start molecule --ip 10.77.200.10 --key ~/.ssh/id_ed25519.pub
    """
    start_host(settings, name, ip, tuple(public_key(path) for path in keys))


@host.command("stop")
@click.argument("name")
@click.pass_obj
def host_stop(settings: Settings, name: str) -> None:
    """Remove host NAME and its disk.

    Example: local-cloud host stop molecule
    """
    stop_host(settings, name)


def public_key(path: Path) -> str:
    """Return the public key in ``path``, or beside a private one."""
    for candidate in (path, path.with_name(path.name + ".pub")):
        text = candidate.read_text().strip() if candidate.exists() else ""
        if text.startswith(("ssh-", "ecdsa-", "sk-")):
            return text
    raise HostError(
        f'There is no public key in "{path}". Make one: ssh-keygen -t ed25519 -f {path}'
    )


def main() -> None:
    try:
        cli()
    except LocalCloudError as error:
        click.echo(f"local-cloud: {error}", err=True)
        sys.exit(COULD_NOT)
