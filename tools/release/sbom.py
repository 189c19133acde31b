"""The list of what is in an image (SBOM), in CycloneDX's JSON.

Run as `python -m tools.release.sbom ARCHIVE`, in the environment of requirements/release.txt; prints the list.
"""

import uuid
from datetime import datetime
from pathlib import Path
from typing import Final

import click
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from tools.release.image_contents import Contents, DebianPackage, read
from tools.release.licences import Licensed, licensed

_NAMES: Final = uuid.UUID("5f2c6b8e-6a0f-4f0b-9d52-0f4f6a1d2c11")
"""A name space of our own: the same image has the same serial number."""

_TITLE: Final = "org.opencontainers.image.title"
_VERSION: Final = "org.opencontainers.image.version"


def written(image: Contents) -> str:
    """Write the list of an image.

    Raises:
        ValueError: the image does not say its title and version, or the list breaks CycloneDX's schema.
    """
    if missing := [name for name in (_TITLE, _VERSION) if not image.labels.get(name)]:
        raise ValueError(f"the image {image.digest} has no label {' and no label '.join(missing)}")
    whole = Component(
        name=image.labels[_TITLE],
        version=image.labels[_VERSION],
        type=ComponentType.CONTAINER,
        bom_ref=image.digest,
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
        properties=[Property(name=name, value=value) for name, value in sorted(image.labels.items())],
    )
    parts = [*map(_python, map(licensed, image.python)), *map(_debian, image.debian)]
    bom = Bom(components=parts, serial_number=uuid.uuid5(_NAMES, image.digest))
    bom.metadata.component = whole
    bom.metadata.timestamp = datetime.fromisoformat(image.created)
    # What needs what among them is not known here: the image holds all of them.
    bom.dependencies.add(Dependency(whole.bom_ref, [Dependency(part.bom_ref) for part in parts]))
    text: str = JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
    if (problem := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)) is not None:
        raise ValueError(f"the list of {image.labels[_TITLE]} breaks CycloneDX's schema: {problem}")
    return text


def _python(package: Licensed) -> Component:
    url = PackageURL("pypi", name=package.pin.name, version=package.pin.version)
    licences = [LicenseFactory().make_from_string(package.licence)] if package.licence else []
    return Component(
        name=package.pin.name,
        version=package.pin.version,
        type=ComponentType.LIBRARY,
        purl=url,
        bom_ref=url.to_string(),
        licenses=licences,
    )


def _debian(package: DebianPackage) -> Component:
    url = PackageURL("deb", "debian", package.name, package.version, {"arch": package.architecture})
    return Component(
        name=package.name, version=package.version, type=ComponentType.LIBRARY, purl=url, bom_ref=url.to_string()
    )


@click.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(archive: Path) -> None:
    """Print the list of what is in an OCI archive."""
    try:
        click.echo(written(read(archive)), nl=False)
    except ValueError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
