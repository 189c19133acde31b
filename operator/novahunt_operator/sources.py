"""Reads the lists that a collection names, and remembers them in one form until one of them changes."""

import time
from collections.abc import Iterable

import msgspec

from novahunt_api import paths, wire
from novahunt_api.cluster import ApiError, Cluster, NotFoundError, UnavailableError
from novahunt_api.domaincollections import Collection
from novahunt_api.objects import Key
from novahunt_contract.wanted import Entry, Wanted, from_text, listed, resolve
from novahunt_operator.lists import FAULTY_REREAD_SECONDS, REREAD_SECONDS
from novahunt_operator.refusals import Grace, is_the_servers_fault


class _Known(msgspec.Struct, frozen=True):
    uid: str
    generation: int
    versions: tuple[str, ...]
    read_again_at: float
    wanted: Wanted


class Sources:
    """Resolves `spec.domains` and `spec.domainsFrom`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[Key, _Known] = {}
        self._grace = Grace()

    async def wanted(self, collection: Collection) -> Wanted:
        """Return the domains that a collection wants; normalised once per change of its lists.

        Raises:
            ApiError: a list could not be read, which may pass; one that is refused for good counts as missing,
                and so do all after an error of the API server's own.
        """
        known = self._known.get(collection.key)
        now = time.monotonic()
        same = known is not None and (known.uid, known.generation) == (collection.uid, collection.generation)
        if known is not None and same and (not collection.spec.domains_from or now < known.read_again_at):
            return known.wanted
        again_at = now + REREAD_SECONDS
        try:
            texts, missing, versions = await self._texts(collection)
        except UnavailableError as error:
            if not is_the_servers_fault(error):
                raise
            # The others are not read: each could take as long.
            texts, missing, versions = [], [f"spec.domainsFrom can't be read: {error.message}"], (error.message,)
            again_at = time.monotonic() + FAULTY_REREAD_SECONDS
        if known is not None and same and known.versions == versions:
            wanted = known.wanted
        else:
            wanted = resolve(_entries(collection, texts), missing)
        self._known[collection.key] = _Known(collection.uid, collection.generation, versions, again_at, wanted)
        return wanted

    def forget(self, key: Key) -> None:
        """Drop what is remembered of a collection that is gone."""
        self._known.pop(key, None)
        self._grace.end(key)

    async def _texts(self, collection: Collection) -> tuple[list[tuple[str, str]], list[str], tuple[str, ...]]:
        """Read each list: (source, text); what is missing, in words; and the versions that were read."""
        texts: list[tuple[str, str]] = []
        missing: list[str] = []
        versions: list[str] = []
        for index, source in enumerate(collection.spec.domains_from):
            ref = source.config_map_key_ref
            place = f"spec.domainsFrom[{index}]: ConfigMap {ref.name}"
            try:
                found = await self._cluster.get(
                    paths.config_maps(collection.key.namespace, ref.name), wire.ConfigMapObject
                )
            except NotFoundError:
                missing.append(f"{place} is not there: make it, or remove it from the list")
                versions.append("")
                continue
            except ApiError as error:
                if not self._grace.is_final(collection.key, error):
                    raise
                missing.append(f"{place} can't be read: {error.message}")
                versions.append(error.message)
                continue
            versions.append(found.metadata.resource_version)
            text = found.data.get(ref.key)
            if text is None:
                missing.append(f"{place} has no key {ref.key}")
            else:
                texts.append((f"ConfigMap {ref.name}, {ref.key}", text))
        if not missing:
            self._grace.end(collection.key)
        return texts, missing, tuple(versions)


def _entries(collection: Collection, texts: Iterable[tuple[str, str]]) -> Iterable[Entry]:
    yield from listed(collection.spec.domains)
    for source, text in texts:
        yield from from_text(source, text)
