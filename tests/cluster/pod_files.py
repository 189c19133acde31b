"""Mounts Secrets and ConfigMaps as files, as the kubelet does: for suppression lists in pods that are processes."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from novahunt_api.cluster import Cluster, NotFoundError
from novahunt_operator.pods import SUPPRESSION_FOLDER


class Secret(msgspec.Struct):
    """A Secret; its data is base64 text on the wire."""

    data: dict[str, bytes] = {}


class _ConfigMap(msgspec.Struct):
    data: dict[str, str] = {}


class Item(msgspec.Struct):
    key: str
    path: str


class Files(msgspec.Struct, rename="camel"):
    """A Secret or ConfigMap whose keys are files; each names itself in its own way."""

    name: str = ""
    secret_name: str = ""
    items: tuple[Item, ...] = ()
    optional: bool = False


class Volume(msgspec.Struct, rename="camel"):
    name: str
    secret: Files | None = None
    config_map: Files | None = None


class Mount(msgspec.Struct, rename="camel"):
    name: str
    mount_path: str


async def write_lists(
    admin: Cluster, namespace: str, volumes: Iterable[Volume], mounts: Iterable[Mount], folder: Path
) -> None:
    """Write the files of a pod's suppression lists below a folder.

    Raises:
        NotFoundError: a Secret or ConfigMap that is not optional is not there.
    """
    by_name = {volume.name: volume for volume in volumes}
    for mount in mounts:
        volume = by_name[mount.name]
        files = volume.secret or volume.config_map
        if files is None or not mount.mount_path.startswith(SUPPRESSION_FOLDER):
            continue
        place = folder / mount.mount_path.removeprefix(SUPPRESSION_FOLDER).strip("/")
        place.mkdir(parents=True)
        try:
            data = await _data(admin, f"/api/v1/namespaces/{namespace}", volume)
        except NotFoundError:
            if not files.optional:
                raise
            continue
        for item in files.items:
            if item.key in data:
                (place / item.path).write_bytes(data[item.key])


async def _data(admin: Cluster, base: str, volume: Volume) -> Mapping[str, bytes]:
    if volume.secret is not None:
        return (await admin.get(f"{base}/secrets/{volume.secret.secret_name}", Secret)).data
    name = volume.config_map.name if volume.config_map is not None else ""
    found = await admin.get(f"{base}/configmaps/{name}", _ConfigMap)
    return {key: text.encode() for key, text in found.data.items()}
