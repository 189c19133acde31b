"""The fingerprint of a Hunter key: names the key's rate windows without telling the key."""

import hashlib

FINGERPRINT_LENGTH = 16
"""Hexadecimal digits of a fingerprint."""


def fingerprint(api_key: str) -> str:
    """Return 16 hexadecimal digits of a one-way hash of the key."""
    return hashlib.sha256(b"novahunt key fingerprint\0" + api_key.encode()).hexdigest()[:FINGERPRINT_LENGTH]
