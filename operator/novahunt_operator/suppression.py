"""Reads the suppression lists that lie in ConfigMaps, to see when they change; what they hold is for collectors."""

import hashlib
import time

import msgspec

from novahunt_api import paths, wire
from novahunt_api.cluster import ApiError, Cluster, NotFoundError, UnavailableError
from novahunt_api.domaincollections import Collection
from novahunt_api.objects import Key
from novahunt_api.spec import KeyRef
from novahunt_operator.lists import FAULTY_REREAD_SECONDS, REREAD_SECONDS, Lists
from novahunt_operator.refusals import Grace, is_the_servers_fault


class _Known(msgspec.Struct, frozen=True):
    uid: str
    generation: int
    read_again_at: float
    lists: Lists


class Suppression:
    """Follows the lists of all collections."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[Key, _Known] = {}
        self._grace = Grace()

    async def lists(self, collection: Collection) -> Lists:
        """Return the state of a collection's lists, at most some seconds old.

        Raises:
            ApiError: a list could not be read, which may pass; one that is refused for good counts as missing,
                and so do all after an error of the API server's own.
        """
        if not follows(collection):
            self.forget(collection.key)
            return Lists(digests=("",) * len(collection.spec.suppression_from))
        known, now = self._known.get(collection.key), time.monotonic()
        if (
            known is not None
            and (known.uid, known.generation) == (collection.uid, collection.generation)
            and now < known.read_again_at
        ):
            return known.lists
        # As often as the lists of `domainsFrom`.
        again_at = now + REREAD_SECONDS
        try:
            lists = await self._read_all(collection)
        except UnavailableError as error:
            if not is_the_servers_fault(error):
                raise
            # The others are not read: each could take as long.
            none = ("",) * len(collection.spec.suppression_from)
            lists = Lists(none, (f"spec.suppressionFrom can't be read: {error.message}",))
            again_at = time.monotonic() + FAULTY_REREAD_SECONDS
        self._known[collection.key] = _Known(collection.uid, collection.generation, again_at, lists)
        return lists

    def forget(self, key: Key) -> None:
        """Drop what is remembered of a collection that is gone."""
        self._known.pop(key, None)
        self._grace.end(key)

    async def _read_all(self, collection: Collection) -> Lists:
        digests: list[str] = []
        missing: list[str] = []
        for index, source in enumerate(collection.spec.suppression_from):
            digest, lack = "", ""
            if source.config_map_key_ref is not None:
                digest, lack = await self._read(collection.key, source.config_map_key_ref)
            digests.append(digest)
            if lack:
                missing.append(f"spec.suppressionFrom[{index}]: {lack}")
        if not missing:
            self._grace.end(collection.key)
        return Lists(tuple(digests), tuple(missing))

    async def _read(self, of: Key, ref: KeyRef) -> tuple[str, str]:
        """Return a list's digest, or else what is wrong."""
        try:
            found = await self._cluster.get(paths.config_maps(of.namespace, ref.name), wire.ConfigMapObject)
        except NotFoundError:
            return "", f"ConfigMap {ref.name} is not there: make it, or remove it from the list"
        except ApiError as error:
            if not self._grace.is_final(of, error):
                raise
            return "", f"ConfigMap {ref.name} can't be read: {error.message}"
        text = found.data.get(ref.key, found.binary_data.get(ref.key))
        if text is None:
            return "", f"ConfigMap {ref.name} has no key {ref.key}"
        return hashlib.sha256(text.encode()).hexdigest(), ""


def follows(collection: Collection) -> bool:
    """Tell whether a collection has lists that the operator can read."""
    return any(source.config_map_key_ref is not None for source in collection.spec.suppression_from)
