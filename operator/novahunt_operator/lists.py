"""How often lists in ConfigMaps are read, and what is known of suppression lists: never of those in Secrets."""

import msgspec

REREAD_SECONDS = 15.0
"""ConfigMaps of `domainsFrom` are read again after so long; watching them would need to see all ConfigMaps."""

FAULTY_REREAD_SECONDS = 120.0
"""The same after an error of the API server's own, for which a worker has waited as long as the client's patience."""


class Lists(msgspec.Struct, frozen=True):
    """The state of the lists that lie in ConfigMaps."""

    digests: tuple[str, ...] = ()
    """Of each list's text in the order of `spec.suppressionFrom`; empty for Secrets and for what is missing."""
    missing: tuple[str, ...] = ()
    """What can't be read, each with what is wrong; nothing may be stored until it can."""


NO_LISTS = Lists()
