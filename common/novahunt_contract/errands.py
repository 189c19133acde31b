"""Errands: what a collector's process does for a whole collection, beside collecting single domains."""

from enum import StrEnum

import msgspec

from novahunt_contract.outcomes import Reason
from novahunt_contract.receipt import MAX_MESSAGE, InvalidReceiptError

MAX_ESTIMATED = 500
"""Domains of one estimate at most."""


class Task(StrEnum):
    """What a process is started for."""

    COLLECT = "collect"
    """One domain's addresses."""
    ESTIMATE = "estimate"
    """Hunter's free counts for many domains."""
    SWEEP = "sweep"
    """Removes from what is stored what suppression lists name and what is too old."""
    ERASE = "erase"
    """Removes all that a deleted collection has stored in a folder."""


class ErrandReceipt(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """How an errand ended, in the pod's termination message. Its `reason` gives the exit code, see `outcomes.ENDINGS`.

    Collected: all of it is done. It holds counts only; no domain, no address.
    """

    task: Task
    job_id: str
    reason: Reason
    message: str = ""
    domains: int = 0
    """Estimate: domains counted. Sweep, erase: documents read."""
    emails: int = 0
    """Estimate: addresses that Hunter has, at most maxResults a domain. Sweep: addresses removed."""
    credits: int = 0
    """Estimate: what they would cost."""
    requests: int = 0
    changed: int = 0
    """Sweep: documents that addresses were removed from."""
    removed: int = 0
    """Sweep, erase: documents removed whole."""
    suppression: str = ""
    """Sweep: digest of the lists that were applied."""


def encode(receipt: ErrandReceipt) -> bytes:
    """Return the receipt as JSON; a long message is cut."""
    text = receipt.message.encode()[:MAX_MESSAGE].decode(errors="ignore")
    return msgspec.json.encode(msgspec.structs.replace(receipt, message=text))


def decode(text: str | bytes) -> ErrandReceipt:
    """Read a receipt; unknown keys are ignored.

    Raises:
        InvalidReceiptError: the text is not JSON of that shape.
    """
    try:
        return msgspec.json.decode(text, type=ErrandReceipt)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidReceiptError(f"it is no errand's receipt: {error}") from None
