"""Gives a document the form that it has in ConfigMaps: small ones plain, larger ones packed, huge ones in parts."""

import base64
import gzip
import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

from novahunt_api import names, wire
from novahunt_contract import document as documents

PACK_ABOVE = 16 * 1024
"""Bytes above which a document is packed with gzip."""

PART_BYTES = 900 * 1024
"""Packed bytes in one ConfigMap; with base64 and metadata it stays below etcd's 1.5 MiB."""

_PACKED = ".gz"
_MAX_KEY = 253
"""Characters of a ConfigMap's key."""


class DamagedDocumentError(Exception):
    """ConfigMaps that should hold a document do not."""


class Parts(msgspec.Struct, frozen=True):
    """A document's parts in order, and the key that each of their ConfigMaps holds one under."""

    key: str
    contents: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return sum(map(len, self.contents))

    def fields(self, number: int) -> dict[str, Any]:
        """Return what a part's ConfigMap holds, as fields of that object."""
        content = self.contents[number]
        if self.key.endswith(_PACKED):
            return {"binaryData": {self.key: base64.b64encode(content).decode()}}
        return {"data": {self.key: content.decode()}}


def split(domain: str, data: bytes) -> Parts:
    """Return a document's parts; the same document always has the same."""
    key = _key(domain)
    if len(data) <= PACK_ABOVE:
        return Parts(key, (data,))
    # No time in the packed form.
    packed = gzip.compress(data, mtime=0)
    starts = range(0, len(packed), PART_BYTES)
    return Parts(key + _PACKED, tuple(packed[start : start + PART_BYTES] for start in starts))


def join(key: str, parts: Iterable[wire.ConfigMapObject]) -> bytes:
    """Put a document together again.

    Raises:
        DamagedDocumentError: what the parts hold is not a whole packed document.
    """
    contents: list[bytes] = []
    packed = False
    for part in parts:
        held = part.binary_data.get(key)
        packed = packed or held is not None
        contents.append(base64.b64decode(held) if held is not None else part.data.get(key, "").encode())
    data = b"".join(contents)
    try:
        return gzip.decompress(data) if packed else data
    except (OSError, EOFError, zlib.error) as error:
        raise DamagedDocumentError(f"the packed document can't be read: {error}") from None


def _key(domain: str) -> str:
    """Return the key in ConfigMaps: `<domain>.json`, or a hash where Kubernetes' 253 characters don't hold that."""
    name = documents.file_name(domain)
    longest = _MAX_KEY - len(_PACKED)
    return name if len(name) <= longest else documents.file_name(names.domain_hash(domain))
