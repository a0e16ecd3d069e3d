"""The ``local-cloud`` command. Exit status: 0 done, 2 failed (with an error message)."""

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from local_cloud import cloud
from local_cloud.errors import HostError, LocalCloudError
from local_cloud.image import Image
from local_cloud.lock import exclusive
from local_cloud.lookup import find_machine, known_hosts
from local_cloud.settings import Settings
from local_cloud.standalone import start_host, stop_host

DOWN = 1
COULD_NOT = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--state", type=click.Path(path_type=Path), help="State directory.")
@click.pass_context
def cli(context: click.Context, state: Path | None) -> None:
    """An emulated AWS whose EC2 instances are real Debian hosts on this machine.

    Example: local-cloud up
    """
    environment = dict(os.environ)
    if state is not None:
        environment["LOCAL_CLOUD_STATE"] = str(state)
    context.obj = Settings.load(environment)


@cli.command()
@click.pass_obj
def up(settings: Settings) -> None:
    """Start the cloud: base image, network, AWS API, and the hosts that existed before.

    Example: local-cloud up
    """
    with exclusive(settings.state):
        changed = cloud.up(settings)
    click.echo(f"{'Up' if changed else 'Already up'}: {settings.endpoint}")


@cli.command()
@click.pass_obj
def down(settings: Settings) -> None:
    """Stop the AWS API and all hosts. `up` starts the same hosts again.

    Example: local-cloud down
    """
    with exclusive(settings.state):
        changed = cloud.down(settings)
    click.echo("Down." if changed else "Already down.")


@cli.command()
@click.pass_obj
def destroy(settings: Settings) -> None:
    """Remove all hosts with their disks, the state of the AWS API, and the network.

    Example: local-cloud destroy
    """
    if not cloud.exists(settings):
        click.echo("There is no local cloud here.")
        return
    with exclusive(settings.state):
        cloud.destroy(settings)
    click.echo("Destroyed.")


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(settings: Settings, *, as_json: bool) -> None:
    """Show the AWS API and the hosts. Exit status: 0 if the API is up, 1 if it is down.

    Example: local-cloud status --json
    """
    report = cloud.status(settings)
    hosts = known_hosts(settings)
    state = "down" if report is None else "up"
    if as_json:
        facts = {"state": state, "endpoint": settings.endpoint, "hosts": hosts}
        click.echo(json.dumps(facts | {"mail": str(settings.mail)}, indent=2))
    else:
        click.echo(f"AWS API {state}: {settings.endpoint}, state in {settings.state}")
        for each in sorted(hosts, key=lambda each: str(each["name"] or each["id"])):
            click.echo(
                f"  {each['name'] or '-':24} {each['id']:20} {each['ip']:15} {each['state']}"
            )
    if report is not None and report["not_saved"]:
        click.echo(f"The state of the AWS API could not be saved: {report['not_saved']}", err=True)
    sys.exit(0 if report is not None else DOWN)


@cli.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def ssh(settings: Settings, name: str, command: tuple[str, ...]) -> None:
    """Log in to host NAME (Name tag, instance id or address) as admin, or run a command there.

    Example: local-cloud ssh local-proxy-1 systemctl status haproxy
    """
    machine = find_machine(settings, name)
    known = f"UserKnownHostsFile={machine.directory / 'known_hosts'}"
    options = ["-i", str(settings.key), "-o", known, "-o", "IdentitiesOnly=yes"]
    os.execvp("ssh", ["ssh", *options, f"admin@{machine.host.ip}", *command])  # noqa: S606 - replaces this process


@cli.command()
@click.argument("name", required=False)
@click.option("-n", "--lines", default=100, show_default=True, help="Number of last lines.")
@click.pass_obj
def logs(settings: Settings, name: str | None, lines: int) -> None:
    """Show the log of the AWS API, or the journal of host NAME, even if the host is stopped.

    Example: local-cloud logs local-app-blue-1
    """
    if name is None:
        path = settings.state / "daemon.log"
        text = path.read_text().splitlines() if path.exists() else []
        click.echo("\n".join(text[-lines:]))
        return
    journal = find_machine(settings, name).directory / "upper/var/log/journal"
    options = ["--directory", str(journal), "--lines", str(lines), "--no-pager"]
    os.execvp("journalctl", ["journalctl", *options])  # noqa: S606 - replaces this process


@cli.command()
@click.pass_obj
def image(settings: Settings) -> None:
    """Build the base image if it is missing, and print its directory.

    Example: local-cloud image
    """
    built = Image(settings.images)
    built.build()
    click.echo(built.root)


@cli.group()
def host() -> None:
    """Boot and remove a single host without EC2.

    Example: local-cloud host start molecule --ip 10.77.200.10 --key ~/.ssh/id_ed25519.pub
    """


@host.command("start")
@click.argument("name")
@click.option("--ip", required=True, help="IP address in the network of the cloud.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path),
    help="SSH public key file.",
)
@click.pass_obj
def host_start(settings: Settings, name: str, ip: str, keys: tuple[Path, ...]) -> None:
    """Boot host NAME and wait until SSH responds. The user is admin.

    Example: local-cloud host start molecule --ip 10.77.200.10 --key ~/.ssh/id_ed25519.pub
    """
    public_keys = tuple(public_key(path) for path in keys)
    with exclusive(settings.state):
        start_host(settings, name, ip, public_keys)


@host.command("stop")
@click.argument("name")
@click.pass_obj
def host_stop(settings: Settings, name: str) -> None:
    """Remove host NAME and its disk.

    Example: local-cloud host stop molecule
    """
    with exclusive(settings.state):
        stop_host(settings, name)


def public_key(path: Path) -> str:
    """Return the public key in ``path``, or in ``path``.pub."""
    for candidate in (path, path.with_name(path.name + ".pub")):
        text = candidate.read_text().strip() if candidate.exists() else ""
        if text.startswith(("ssh-", "ecdsa-", "sk-")):
            return text
    raise HostError(
        f'"{path}" contains no SSH public key. Create one: ssh-keygen -t ed25519 -f {path}'
    )


def main() -> None:
    try:
        cli()
    except LocalCloudError as error:
        fail(str(error))
    except PermissionError as error:
        fail(f"{error.filename}: {error.strerror}. Run it as root: sudo -E local-cloud ...")


def fail(sentence: str) -> NoReturn:
    click.echo(f"local-cloud: {sentence}", err=True)
    sys.exit(COULD_NOT)
