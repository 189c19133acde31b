"""Builds the images: with the machine's own engine where there is one, else with the cluster tool's builder.

Run as `python -m tools.images [--registry HOST/PATH]`. A tag is made of the content, so that an
image that is built already is not built again, and a cluster never runs an old one by mistake.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click

from devcluster.images import Buildah
from devcluster.paths import cache_root
from novahunt_contract import __version__
from tools.shell import ROOT, ProgramError, answers, devcluster, show


@dataclass(frozen=True)
class Image:
    """One image: what it is built from, relative to the checkout."""

    name: str
    dockerfile: str
    context: str
    sources: tuple[str, ...]

    @cache  # noqa: B019 - three images; one run must not see two tags while somebody edits
    def tag(self) -> str:
        """Return twelve hexadecimal digits over everything that goes into the image."""
        # The version is said in a label of the image.
        whole = hashlib.sha256(f"{__version__}\0".encode())
        for file in sorted(_files((self.dockerfile, *self.sources))):
            whole.update(f"{file.relative_to(ROOT)}\0".encode())
            whole.update(hashlib.sha256(file.read_bytes()).digest())
        return whole.hexdigest()[:12]

    @property
    def locks(self) -> tuple[str, ...]:
        """The lock files of the packages that it holds."""
        return tuple(source for source in self.sources if source.startswith("requirements/"))

    def repository(self, registry: str | None) -> str:
        """Return the image's name without a tag."""
        return f"{registry or 'localhost'}/{self.name}"

    def reference(self, registry: str | None) -> str:
        """Return the image's full name."""
        return f"{self.repository(registry)}:{self.tag()}"


OPERATOR = Image(
    "novahunt-operator",
    "Dockerfile",
    ".",
    (
        ".dockerignore",
        "requirements/operator.txt",
        "requirements/gateway.txt",
        "common/novahunt_contract",
        "common/novahunt_api",
        "common/novahunt_client",
        "operator/novahunt_operator",
        "gateway/novahunt_gateway",
    ),
)
COLLECTOR = Image(
    "novahunt-collector",
    "collector_image/Dockerfile",
    ".",
    (
        ".dockerignore",
        "requirements/collector.txt",
        "common/novahunt_contract",
        "collector_image/novahunt_collector",
    ),
)
SIMULATOR = Image(
    "novahunt-hunter-simulator",
    "tests/hunter_simulator/Dockerfile",
    "tests/hunter_simulator",
    ("tests/hunter_simulator",),
)
ALL = (OPERATOR, COLLECTOR, SIMULATOR)


def labels(*, revision: str = "", created: str = "", source: str = "") -> tuple[tuple[str, str], ...]:
    """Return what is said of an image beside what its Dockerfile says: those that are known of OCI's own labels.

    Args:
        revision: The commit it is built from. Images that are tagged by their content have none: another commit with
            the same content must give the same image.
        created: The time of that commit, as RFC 3339 has it.
        source: Where the source code is to be found, a URL.
    """
    known = {"version": __version__, "revision": revision, "created": created, "source": source}
    return tuple((f"org.opencontainers.image.{name}", value) for name, value in known.items() if value)


def build(images: tuple[Image, ...], registry: str | None = None, *, own: bool = False) -> None:
    """Build what is not built yet, and push it where a registry is named.

    `own`: for a cluster of the cluster tool, which takes images from that tool's builder only.

    Raises:
        ProgramError: no engine can build, or a build failed.
    """
    engine = None if own else next((name for name in ("docker", "podman") if answers([name, "info"])), None)
    if registry is not None and engine is None:
        raise ProgramError("pushing to a registry needs docker or podman; neither answers here")
    for image in images:
        reference = image.reference(registry)
        if engine is None:
            _build_with_cluster_tool(image, reference)
        else:
            click.echo(f"building {reference} with {engine}")
            words = [engine, "build", "--quiet", "--tag", reference, "--file", image.dockerfile, *_label_options()]
            # One time for the image, so that the same content gives the same image: each engine is told in its way.
            words += ["--timestamp", "0"] if engine == "podman" else []
            show([*words, image.context], environment={**os.environ, "SOURCE_DATE_EPOCH": "0"})
            if registry is not None:
                show([engine, "push", "--quiet", reference])


def _build_with_cluster_tool(image: Image, reference: str) -> None:
    if Buildah(cache_root()).identity(reference) is not None:
        click.echo(f"{reference} is built already")
        return
    click.echo(f"building {reference}")
    options = ("--tag", reference, "--file", image.dockerfile, *_label_options())
    show(devcluster("image", "build", *options, image.context))


def _label_options() -> tuple[str, ...]:
    return tuple(f"--label={name}={value}" for name, value in labels())


def _files(places: tuple[str, ...]) -> Iterator[Path]:
    for place in places:
        path = ROOT / place
        if path.is_dir():
            yield from (file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
        else:
            yield path


@click.command()
@click.option("--registry", help="Push the images there: host/path.")
def main(registry: str | None) -> None:
    """Build the images, and say how to install with them."""
    try:
        build(ALL, registry)
    except ProgramError as error:
        raise click.ClickException(str(error)) from None
    click.echo("\nInstall with:\n  helm upgrade --install novahunt charts/novahunt \\")
    for part, image in (("image", OPERATOR), ("collector.image", COLLECTOR)):
        click.echo(f"    --set {part}.repository={image.repository(registry)} --set-string {part}.tag={image.tag()} \\")
    click.echo("    --namespace novahunt --create-namespace")


if __name__ == "__main__":
    main()
