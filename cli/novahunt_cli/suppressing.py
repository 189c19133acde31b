"""What `forget` decides: an entry's form, which list is meant, and whether a sweep has followed it. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

import msgspec

from novahunt_api.domaincollections import Collection
from novahunt_api.spec import SuppressionSource
from novahunt_contract import domains, times

DEFAULT_NAME = "do-not-contact"
DEFAULT_KEY = "list.txt"

_LOCAL_PART = re.compile(r"[^\s\x00-\x1f\x7f\"(),:;<>@\[\\\]*#]*")
"""What may stand before the @; a # would begin a comment."""


class NotAnEntryError(ValueError):
    """It names no address and no domain; the text never repeats it."""


class ListRef(msgspec.Struct, frozen=True):
    """A list: a key of a Secret or of a ConfigMap."""

    kind: str
    """`secret` or `configmap`."""
    name: str
    key: str

    def __str__(self) -> str:
        """As people give it with --list."""
        return f"{self.kind}/{self.name}/{self.key}"

    def source(self) -> dict[str, dict[str, str]]:
        """Return it as an entry of spec.suppressionFrom."""
        field = "secretKeyRef" if self.kind == "secret" else "configMapKeyRef"
        return {field: {"name": self.name, "key": self.key}}


def entry_of(text: str) -> str:
    """Return the line that names an address, `@domain`, or a domain.

    Raises:
        NotAnEntryError: it is none of them.
    """
    text = unicodedata.normalize("NFKC", text.strip())
    local, sign, host = text.rpartition("@")
    try:
        if not sign:
            return domains.normalise(text)
        if not _LOCAL_PART.fullmatch(local):
            raise NotAnEntryError(
                "what stands before the @ is no part of an address; @domain names all addresses there"
            )
        return f"{local.lower()}@{domains.host_name(host)}"
    except domains.NotADomainError as error:
        raise NotAnEntryError(f"it is neither an address nor a domain: {error}") from None


def added(content: str, entry: str) -> str | None:
    """Return a list's text with an entry added; None: it is there already."""
    if any(line.lower() == entry for _, line in domains.read_list(content)):
        return None
    gap = "" if not content or content.endswith("\n") else "\n"
    return f"{content}{gap}{entry}\n"


def parse_ref(text: str) -> ListRef:
    """Return the list that `secret/NAME[/KEY]` or `configmap/NAME[/KEY]` names.

    Raises:
        ValueError: it is of another form.
    """
    kind, _, rest = text.partition("/")
    name, _, key = rest.partition("/")
    if kind.lower() not in ("secret", "configmap") or not name:
        raise ValueError("name a list as secret/NAME, secret/NAME/KEY, configmap/NAME or configmap/NAME/KEY")
    return ListRef(kind.lower(), name, key or DEFAULT_KEY)


def lists_of(collection: Collection) -> tuple[ListRef, ...]:
    """Return the lists that a collection names."""
    return tuple(ref for source in collection.spec.suppression_from if (ref := _ref(source)) is not None)


def common_lists(collections: Iterable[Collection]) -> tuple[ListRef, ...]:
    """Return the lists that all of these name, in order."""
    each = [lists_of(collection) for collection in collections]
    if not each:
        return ()
    return tuple(ref for ref in each[0] if all(ref in refs for refs in each))


def naming(collections: Sequence[Collection], ref: ListRef) -> tuple[Collection, ...]:
    """Return those that name this list."""
    return tuple(collection for collection in collections if ref in lists_of(collection))


def swept_since(collection: Collection, old: str, asked_at: str) -> bool:
    """Tell whether a sweep for other wishes than `old` began at or after a time of the API server's, and is over."""
    sweep = collection.status.sweep
    return sweep is not None and sweep.of != old and times.from_text(sweep.at) >= times.from_text(asked_at)


def report(collection: Collection) -> str:
    """Return what the last sweep removed, and where."""
    sweep = collection.status.sweep
    volume = collection.spec.volume
    place = "ConfigMaps"
    if volume is not None:
        place += f" and on claim {volume.claim_name}, folder {volume.path or collection.key.name}"
    documents, emails = (sweep.documents, sweep.emails) if sweep is not None else (0, 0)
    if not documents:
        return f"{collection.key.name}: nothing of it was stored in {place}"
    nouns = "address" if emails == 1 else "addresses", "document" if documents == 1 else "documents"
    return f"{collection.key.name}: {emails} {nouns[0]} removed from {documents} {nouns[1]} in {place}"


def _ref(source: SuppressionSource) -> ListRef | None:
    if source.secret_key_ref is not None:
        return ListRef("secret", source.secret_key_ref.name, source.secret_key_ref.key)
    if source.config_map_key_ref is not None:
        return ListRef("configmap", source.config_map_key_ref.name, source.config_map_key_ref.key)
    return None
