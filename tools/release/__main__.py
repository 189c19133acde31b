"""The command that makes a release; `make release` runs it, and docs/supply-chain.md tells of it."""

from pathlib import Path

import click

from devcluster.errors import DevclusterError
from novahunt_contract import __version__
from tools.images import COLLECTOR, OPERATOR
from tools.release import checks
from tools.release.folder import SUMS, UnusableFolderError, usable
from tools.release.making import Made, Order, UnfitError, make
from tools.shell import ProgramError

_MEBIBYTE = 2**20


@click.command()
@click.option("--registry", required=True, help="Where the images will be pushed, host/path: the manifests name it.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="A new folder outside of the checkout.")
@click.option("--source", default="", help="Where the source code is to be found (URL), for a label of the images.")
@click.option("--trial", is_flag=True, help="Make it although it may not be released yet, and say why not.")
def main(registry: str, output: Path, source: str, *, trial: bool) -> None:
    """Make all that users need of this version, and say what to do with it."""
    if not registry.strip("/") or not str(output).strip("."):
        raise click.ClickException("name the registry and the folder: make release REGISTRY=host/path OUTPUT=folder")
    try:
        checkout = checks.look()
        found = [*checks.problems(checkout), *checks.lint()]
        for problem in found:
            click.echo(f"may not be released: {problem}", err=True)
        if found and not trial:
            raise click.ClickException("nothing was made; TRIAL=1 makes it all the same, to look at")
        folder = usable(output)
        revision = checkout.revision + ("-changed" if checkout.changed else "")
        images = make(Order(folder, registry.strip("/"), source, revision, checkout.seconds))
    except (UnfitError, UnusableFolderError, DevclusterError, ProgramError) as error:
        raise click.ClickException(str(error)) from None
    _tell(folder, images)
    if found:
        click.echo("\nThis was a trial: what was named above forbids to release it.")
    else:
        _tell_next(folder, registry.strip("/"), images)


def _tell(folder: Path, images: list[Made]) -> None:
    click.echo(f"\nnovahunt {__version__} in {folder}:")
    for path in sorted(folder.iterdir()):
        click.echo(f"  {path.stat().st_size / _MEBIBYTE:8.2f} MiB  {path.name}")
    for image in images:
        click.echo(f"{image.reference}  {image.contents.digest}  {image.contents.packed / _MEBIBYTE:.0f} MiB packed")


def _tell_next(folder: Path, registry: str, images: list[Made]) -> None:
    click.echo(f"\nNext, in {folder}:")
    for image, made in zip((OPERATOR, COLLECTOR), images, strict=True):
        archive = f"{image.name}-{__version__}.oci.tar"
        click.echo(f"  skopeo copy --preserve-digests oci-archive:{archive} docker://{made.reference}")
    click.echo(f"  helm push novahunt-{__version__}.tgz oci://{registry}/charts")
    click.echo(f"  sign {SUMS} and both digests, as docs/supply-chain.md tells")
    click.echo(f"and in the checkout:\n  git tag --sign v{__version__} --message 'NovaHunt {__version__}'")
    click.echo(f"  git push origin v{__version__}")


if __name__ == "__main__":
    main()
