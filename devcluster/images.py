"""Container images: built with buildah in a storage of their own, and loaded into a cluster's containerd."""

import configparser
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from devcluster import archives
from devcluster.cache import digest
from devcluster.commands import Progress, run, run_long
from devcluster.errors import DevclusterError, ProgramError, RefusedInputError
from devcluster.paths import RunFolder
from devcluster.requirements import find_command

_IMAGE_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
_PIP_SETTINGS: Final = "/etc/pip.conf"

_PIP_PASSED_ON: Final = frozenset(
    {"index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout", "retries"}
)
"""What says where packages come from; folders of this machine mean nothing in a build."""


class UnknownImageError(DevclusterError):
    """The image is not in buildah's storage."""


@dataclass(frozen=True)
class Buildah:
    """buildah with a storage of its own, so that the stand-in never hides a real image of the user's."""

    cache: Path

    def argv(self, *words: str | Path) -> list[str | Path]:
        """The whole command line of one buildah verb."""
        storage = self.cache / "images"
        return [
            find_command("buildah") or "buildah",
            "--root",
            storage / "root",
            "--runroot",
            storage / "run",
            "--storage-driver",
            "overlay",
            *words,
        ]

    @property
    def environment(self) -> dict[str, str]:
        """This process's own, with the one isolation that works inside of containers and virtual machines."""
        return {**os.environ, "BUILDAH_ISOLATION": "chroot"}

    def run(self, *words: str | Path) -> str:
        """Run one buildah verb and give back what it printed."""
        return run(self.argv(*words), environment=self.environment)

    def identity(self, image: str) -> str | None:
        """The identity of an image's content, or nothing if it is not in the storage."""
        try:
            return self.run("inspect", "--type", "image", "--format", "{{.FromImageID}}", image).strip()
        except ProgramError:
            return None


def pip_settings(environ: Mapping[str, str], listed: str) -> str:
    """A pip.conf with this machine's settings of where packages come from.

    `listed` is what `pip config list` prints: lines of `global.index-url='...'`; the environment goes first.
    """
    found: dict[str, str] = {}
    for line in listed.splitlines():
        name, equals, value = line.partition("=")
        section, _, key = name.partition(".")
        if equals and section in {"global", "install"}:
            found[key] = value.strip().strip("'\"")
    for name, value in environ.items():
        if name.startswith("PIP_"):
            found[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    parser = configparser.RawConfigParser()
    parser["global"] = {key: found[key] for key in sorted(found) if key in _PIP_PASSED_ON}
    parser["global"]["cert"] = _IMAGE_AUTHORITIES
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def authorities(environ: Mapping[str, str], default: Path = Path(_IMAGE_AUTHORITIES)) -> Path | None:
    """This machine's bundle of certificate authorities: pip's, OpenSSL's or Debian's, the first that is there."""
    candidates = [Path(named) for name in ("PIP_CERT", "SSL_CERT_FILE") if (named := environ.get(name))]
    return next((file.absolute() for file in (*candidates, default) if file.is_file()), None)


@dataclass(frozen=True)
class Plan:
    """What to build, and what is said of it."""

    tag: str
    file: Path
    context: Path
    labels: tuple[tuple[str, str], ...] = ()
    """Name and value of each label, beside those of the Dockerfile."""
    timestamp: int = 0
    """Seconds since 1970: the time of the image and of every file in it. One time gives one digest."""
    fresh: bool = False
    """Whether each step is run anew, whatever an earlier build has left."""


def build(buildah: Buildah, plan: Plan) -> None:
    """Build an ordinary Dockerfile, whose base image must be in the storage; nothing is pulled."""
    tag = plan.tag
    progress = Progress(f"building image {tag}")
    log = buildah.cache / "logs" / f"image-{digest(tag.encode())}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="novahunt-image-") as temporary:
        settings = Path(temporary) / "pip.conf"
        settings.touch(mode=0o600)
        settings.write_text(pip_settings(os.environ, _listed_pip_settings()))
        words: list[str | Path] = ["bud", "--pull-never", "--force-rm", "--tag", tag, "--file", plan.file]
        # buildah's own label would have each version of it make another image.
        words += ["--identity-label=false"]
        # buildah takes a step of an earlier build for the same whatever its time was: only those of time 0 are kept.
        anew = plan.fresh or plan.timestamp != 0
        words += ["--timestamp", str(plan.timestamp), "--no-cache" if anew else "--layers"]
        words += [f"--label={name}={value}" for name, value in plan.labels]
        # Mounted for the build's steps, so that neither gets into the image.
        words += ["--volume", f"{settings}:{_PIP_SETTINGS}:ro"]
        if (bundle := authorities(os.environ)) is not None:
            words += ["--volume", f"{bundle}:{_IMAGE_AUTHORITIES}:ro"]
        run_long(buildah.argv(*words, plan.context), progress=progress, log=log, environment=buildah.environment)
    progress.done("built")


def _listed_pip_settings() -> str:
    try:
        return run(["python3", "-m", "pip", "config", "list"], deadline=60)
    except ProgramError:
        return ""


def _known(buildah: Buildah, image: str) -> None:
    if buildah.identity(image) is None:
        raise UnknownImageError(
            f"buildah's storage below {buildah.cache} has no image {image!r}; "
            f"build it first: python -m devcluster image build --tag {image} --file DOCKERFILE CONTEXT"
        )


def save(buildah: Buildah, image: str, target: Path) -> None:
    """Write an image of buildah's storage as an OCI archive, whose bytes are those of the image alone."""
    _known(buildah, image)
    with tempfile.TemporaryDirectory(prefix="novahunt-image-", dir=buildah.cache) as temporary:
        layout = Path(temporary) / "layout"
        buildah.run("push", "--quiet", image, f"oci:{layout}:{image}")
        archives.pack(layout, target)


@contextmanager
def exported(buildah: Buildah, image: str) -> Iterator[Path]:
    """An archive of an image in buildah's storage."""
    _known(buildah, image)
    with tempfile.TemporaryDirectory(prefix="novahunt-image-", dir=buildah.cache) as temporary:
        archive = Path(temporary) / "image.tar"
        buildah.run("push", "--quiet", image, f"docker-archive:{archive}:{image}")
        yield archive


def load(folder: RunFolder, archive: Path) -> None:
    """Load an archive into the cluster's containerd, where the kubelet finds it."""
    run(
        [
            find_command("ctr") or "ctr",
            "--address",
            folder.containerd_socket,
            "--namespace",
            "k8s.io",
            "images",
            "import",
            archive,
        ]
    )


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = mode
    archive.addfile(entry, io.BytesIO(content))


def write_single_file_image(target: Path, *, image: str, program: Path, architecture: str) -> None:
    """Write the archive of an image that has one static program and nothing else.

    The format is that of `docker save`: manifest.json names the configuration and the layers.
    """
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as files:
        _add(files, program.name, program.read_bytes(), 0o755)
    content = layer.getvalue()
    configuration = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Entrypoint": [f"/{program.name}"], "User": "65535:65535"},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(content).hexdigest()}"]},
            "history": [{"created_by": "devcluster"}],
        }
    ).encode()
    name = f"{sha256(configuration).hexdigest()}.json"
    manifest = json.dumps([{"Config": name, "RepoTags": [image], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(target, "w") as archive:
        _add(archive, name, configuration)
        _add(archive, "layer.tar", content)
        _add(archive, "manifest.json", manifest)


def check_tags(images: Sequence[str]) -> None:
    """Refuse an image without a tag: pods would ask a registry for it (imagePullPolicy Always)."""
    for image in images:
        if ":" not in image.rsplit("/", 1)[-1] or image.endswith(":latest"):
            raise RefusedInputError(
                f"image {image!r} needs a tag other than latest, or the kubelet asks a registry for it"
            )
