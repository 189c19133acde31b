"""The receipt: the small JSON document in a collector's termination message that says how its run ended."""

import msgspec

from novahunt_contract.outcomes import Outcome, Reason

MAX_BYTES = 4096
"""A termination message longer than this is cut by the kubelet (Kubernetes' documented limit)."""

MAX_MESSAGE = 1024
"""Bytes of the message that are kept."""


class InvalidReceiptError(ValueError):
    """A termination message that is no receipt of ours."""


class ConfigMapPlace(msgspec.Struct, frozen=True):
    """A document in ConfigMaps: its parts in order, and the key that each of them holds it under."""

    names: tuple[str, ...]
    key: str


class Changed(msgspec.Struct, frozen=True):
    """How a document differs from the one it replaced, in addresses."""

    added: int = 0
    removed: int = 0
    changed: int = 0


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What one run of one domain did. Counts are zero or more; times are UTC text with milliseconds."""

    domain: str
    run: int
    outcome: Outcome
    reason: Reason
    job_id: str
    message: str = ""
    """One sentence for people; it holds no address, key or query string."""
    items: int = 0
    reported: int = 0
    credits: int = 0
    """What the answers of this attempt cost by Hunter's rule; lost answers that may have cost are counted in full."""
    credits_saved: int = 0
    """What the pages cost that an earlier attempt or run paid for and that were found saved or stored."""
    credits_earlier: int = 0
    """Part of them: what earlier attempts of this very run paid for."""
    requests: int = 0
    suppressed: int = 0
    """Addresses left out because a suppression list names them."""
    suppression: str = ""
    """Digest of the suppression lists that were applied; empty: there are none."""
    search_hash: str = ""
    collected_at: str | None = None
    stored_at: str | None = None
    sha256: str | None = None
    bytes: int = 0
    config_map: ConfigMapPlace | None = None
    """None: the document lies on the volume that the Job mounts, or there is none."""
    from_storage: bool = False
    """True: a fresh document was there already, and Hunter was not asked."""
    changed: Changed | None = None
    key: str = ""
    """Fingerprint of the Hunter key that was used, see `keys.fingerprint`; empty: there was none."""
    reset_date: str = ""
    """Of a used-up plan: the day on which its next billing period begins, YYYY-MM-DD; empty: it is not known."""
    own: bool = False
    """A failure that is this domain's alone: Hunter answers other questions, or the place takes other documents."""


def encode(receipt: Receipt) -> bytes:
    """Return the receipt as JSON of at most 4,096 bytes; a long message is cut."""
    text = receipt.message.encode()[:MAX_MESSAGE].decode(errors="ignore")
    data = msgspec.json.encode(msgspec.structs.replace(receipt, message=text))
    if len(data) <= MAX_BYTES:
        return data
    data = msgspec.json.encode(msgspec.structs.replace(receipt, message=""))
    if len(data) > MAX_BYTES:
        raise ValueError(f"a receipt of {len(data)} bytes does not fit into a termination message")
    return data


def decode(text: str | bytes) -> Receipt:
    """Read a receipt; unknown keys are ignored.

    Raises:
        InvalidReceiptError: the text is not JSON of that shape.
    """
    try:
        return msgspec.json.decode(text, type=Receipt)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidReceiptError(f"it is no receipt: {error}") from None
