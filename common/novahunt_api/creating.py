"""Creates an object once, even where the answer to the first try is lost and the call is made again."""

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from novahunt_api import names, wire
from novahunt_api.cluster import ApiError, Cluster, ConflictError, UnavailableError


class _Object(msgspec.Struct, frozen=True):
    """Any object, of which only the metadata is wanted."""

    metadata: wire.Meta


async def create(
    cluster: Cluster, path: str, body: Mapping[str, Any], *, query: Mapping[str, str] | None = None
) -> bytes:
    """Create an object, and return it as the API server holds it, as JSON.

    `Cluster.call` makes a create again whose answer was lost, and the second try may find the object of the first. So
    the object carries this call's own id as an annotation, and one that holds it is no conflict.

    Args:
        cluster: The connection.
        path: Of the collection of objects, not of the object.
        body: The object; `metadata.name` is set. It is not changed.
        query: Parameters of the create, for example `fieldManager`.

    Raises:
        ConflictError: somebody else's object of that name is there, or it can't be read whose it is.
        UnavailableError: no answer; whether the object was created is not known.
        ApiError: another of its kinds: it was not created.
    """
    request = uuid.uuid4().hex
    metadata = body["metadata"]
    annotations = {**metadata.get("annotations", {}), names.REQUEST_ID_ANNOTATION: request}
    marked = {**body, "metadata": {**metadata, "annotations": annotations}}
    try:
        return await cluster.call("POST", path, query=query, body=marked)
    except ConflictError as conflict:
        try:
            data = await cluster.call("GET", f"{path}/{metadata['name']}")
        except UnavailableError:
            raise
        except ApiError:
            raise conflict from None
        found = msgspec.json.decode(data, type=_Object).metadata
        if found.annotations.get(names.REQUEST_ID_ANNOTATION) != request:
            raise
        return data
