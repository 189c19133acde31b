"""Creates an object under a name that others may want as well, and knows the one that the call itself has made."""

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from novahunt_api import names, wire
from novahunt_api.cluster import Cluster, ConflictError, NoRightError, NotFoundError


class _Made(msgspec.Struct, frozen=True):
    metadata: wire.Meta


async def create(
    cluster: Cluster, path: str, body: Mapping[str, Any], *, query: Mapping[str, str] | None = None
) -> bytes:
    """Create an object and return it as the API server answers it.

    `Cluster.call` makes a create again whose answer was lost, and then finds its own first try in the way. A random
    word in an annotation tells that from an object that was there before: who took the one for the other would make,
    and pay for, a second one under another name.

    Args:
        cluster: The connection.
        path: Of the kind in its namespace.
        body: The object, with its name.
        query: Of the create alone.

    Raises:
        ConflictError: another object has the name.
        ApiError: it is not created, or it can't be told whose the object of that name is.
    """
    call = secrets.token_hex(8)
    metadata = body["metadata"]
    noted = {**metadata, "annotations": {**metadata.get("annotations", {}), names.CALL_ANNOTATION: call}}
    try:
        return await cluster.call("POST", path, body={**body, "metadata": noted}, query=query)
    except ConflictError as error:
        try:
            found = await cluster.call("GET", f"{path}/{metadata['name']}")
        except (NotFoundError, NoRightError):
            raise error from None
        if msgspec.json.decode(found, type=_Made).metadata.annotations.get(names.CALL_ANNOTATION) != call:
            raise
        return found
