"""Which collections want a domain: an index of the lists in their specs, whatever form a list writes a domain in."""

from collections.abc import Sequence

from novahunt_api.objects import Key
from novahunt_contract import wanted


class Wants:
    """Names of collections by namespace and domain in its one form; asking takes as long beside 50,000 as beside one.

    Lists in ConfigMaps (`domainsFrom`) are not in it, because the gateway reads none: a domain that only they name is
    found by its result.
    """

    def __init__(self) -> None:
        self._names: dict[str, dict[str, tuple[str, ...]]] = {}
        """By namespace, then by domain; all domains of a collection share one tuple, for a set takes 216 bytes each."""
        self._domains: dict[Key, tuple[str, ...]] = {}

    def put(self, key: Key, entries: Sequence[str]) -> None:
        """Take a collection's list, in the place of the one that it had."""
        self.drop(key)
        self._domains[key] = domains = wanted.resolve(wanted.listed(entries)).domains
        names, alone = self._names.setdefault(key.namespace, {}), (key.name,)
        for domain in domains:
            held = names.get(domain)
            names[domain] = alone if held is None else (*held, key.name)

    def drop(self, key: Key) -> None:
        """Forget a collection; one that is not known is none."""
        names = self._names.get(key.namespace, {})
        for domain in self._domains.pop(key, ()):
            left = tuple(name for name in names[domain] if name != key.name)
            if left:
                names[domain] = left
            else:
                del names[domain]

    def of(self, namespace: str, domain: str) -> Sequence[str]:
        """Return the names of the collections that want a domain."""
        return self._names.get(namespace, {}).get(domain, ())
