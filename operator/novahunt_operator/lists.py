"""What the operator knows of a collection's suppression lists: those in ConfigMaps, never those in Secrets."""

import msgspec


class Lists(msgspec.Struct, frozen=True):
    """The state of the lists that lie in ConfigMaps."""

    digests: tuple[str, ...] = ()
    """Of each list's text in the order of `spec.suppressionFrom`; empty for Secrets and for what is missing."""
    missing: tuple[str, ...] = ()
    """What can't be read, each with what is wrong; nothing may be stored until it can."""


NO_LISTS = Lists()
