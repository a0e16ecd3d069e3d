"""``canary build``: build a release into a file, for a pipeline that releases it later."""

from __future__ import annotations

import json
from pathlib import Path

import click

from canary import artifact
from canary.cli.common import answer, json_option
from canary.environment import PythonArtifact


@click.command()
@click.argument("ref")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("dist"),
    show_default=True,
    help="Directory to write to.",
)
@click.option("--app", default="app", show_default=True, help="Directory of the app.")
@click.option(
    "--lock",
    default="app/requirements.txt",
    show_default=True,
    help="File of the app's dependencies, compiled with hashes.",
)
@json_option
def build(ref: str, directory: Path, app: str, lock: str, *, as_json: bool) -> None:
    """Build REF (a commit, tag, branch, or . for the working tree) of a Python app into a file.

    The file holds the app and its dependencies, as with artifact: python. It is named after its
    commit. The same commit gives the same bytes on every machine. release.json beside it describes
    it.

    Exit status: 0 built, 2 could not build.

    \b
    Example:
      canary build v1.5.0 --directory dist
    """
    recipe = artifact.recipe_of(PythonArtifact(kind="python", directory=app, lock=lock))
    built = artifact.build(artifact.load(Path(), ref, recipe.directory), recipe)
    path = directory / f"{built.release}.tar.gz"
    document = {
        "release": built.release,
        "commit": built.commit,
        "file": path.name,
        "python": recipe.target.python,
        "sha256": built.sha256,
    }
    directory.mkdir(parents=True, exist_ok=True)
    path.write_bytes(built.body)
    (directory / "release.json").write_text(json.dumps(document, indent=2) + "\n")
    answer(document, f"{path}\nsha256 {built.sha256}", as_json=as_json)
