"""Makes each part of a release in a folder: images, their lists, chart, manifests, wheel, licences, checksums."""

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from devcluster import base_image, builds, images, requirements
from devcluster.builds import Part
from devcluster.paths import cache_root
from novahunt_contract import __version__
from tools.images import COLLECTOR, OPERATOR, Image, labels
from tools.release import charts, image_contents, licences, packages, sbom
from tools.release.folder import SUMS, sums
from tools.release.image_contents import Contents
from tools.shell import ROOT, ask


class UnfitError(Exception):
    """What was built may not be released; the text tells why and what to do."""


@dataclass(frozen=True)
class Order:
    """What to make, of which commit, and where."""

    folder: Path
    registry: str
    """Where the images will be pushed, as host/path: the manifests name it."""
    source: str
    """Where the source code is to be found, a URL; may be empty."""
    revision: str
    seconds: int
    """The time of everything, since 1970: the commit's."""


@dataclass(frozen=True)
class Made:
    """An image of the release."""

    reference: str
    contents: Contents


def make(order: Order) -> list[Made]:
    """Make all parts; return the images. Needs root, as building images does.

    Raises:
        UnfitError: an image is not the same twice, or holds what it may not.
        DevclusterError: a build failed, or something for it is missing.
        ProgramError: Helm or the wheel's builder failed.
    """
    made = [_image(order, image) for image in (OPERATOR, COLLECTOR)]
    operator, collector = made
    helm = builds.build(cache_root(), frozenset({Part.HELM})).helm / "helm"
    chart = charts.package(helm, order.folder)
    digests = charts.Digests(operator.contents.digest, collector.contents.digest)
    (order.folder / f"novahunt-{__version__}.yaml").write_text(charts.manifests(helm, chart, order.registry, digests))
    _wheel(order)
    (order.folder / "licences.md").write_text(
        licences.table(
            {image.name: found.contents.python for image, found in zip((OPERATOR, COLLECTOR), made, strict=True)}
        )
    )
    (order.folder / "images.txt").write_text(
        "".join(f"{each.reference}@{each.contents.digest} {each.contents.configuration}\n" for each in made)
    )
    (order.folder / SUMS).write_text(sums(order.folder))
    return made


def _image(order: Order, image: Image) -> Made:
    """Build an image twice from nothing, and save it with its list if both are the same and it holds what it may."""
    requirements.need_root("building images")
    requirements.ensure(requirements.IMAGE_TOOLS)
    buildah = images.Buildah(cache_root())
    base_image.provide(cache_root(), buildah)
    reference = f"{image.repository(order.registry)}:{__version__}"
    created = datetime.fromtimestamp(order.seconds, UTC).isoformat()
    again = f"localhost/{image.name}:again"
    for tag in (reference, again):
        images.build(
            buildah,
            images.Plan(
                tag=tag,
                file=ROOT / image.dockerfile,
                context=ROOT / image.context,
                labels=labels(revision=order.revision, created=created, source=order.source),
                timestamp=order.seconds,
                fresh=True,
            ),
        )
    if buildah.identity(reference) != buildah.identity(again):
        raise UnfitError(
            f"two builds of {image.name} differ: compare {reference} and {again} in buildah's storage below "
            f"{buildah.cache}, file by file"
        )
    archive = order.folder / f"{image.name}-{__version__}.oci.tar"
    images.save(buildah, reference, archive)
    buildah.run("rmi", reference, again)
    contents = image_contents.read(archive)
    wrong = packages.differences(licences.locked(image), (one.pin for one in contents.python))
    wrong += licences.refusals(map(licences.licensed, contents.python))
    if wrong:
        raise UnfitError("\n".join((f"{image.name} may not be released:", *wrong)))
    (order.folder / f"{image.name}-{__version__}.cdx.json").write_text(sbom.written(contents))
    click.echo(f"{reference}: built twice, the same: {contents.digest}")
    return Made(reference, contents)


def _wheel(order: Order) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(order.seconds)}
    # A folder of its own keeps hatchling's own marks out of the release.
    ask([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", order.folder], environment=environment)
