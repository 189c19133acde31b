"""Counts how a new document differs from the one it replaces. Pure."""

from novahunt_contract.document import Document
from novahunt_contract.receipt import Changed


def changed(before: Document, after: Document) -> Changed:
    """Return the addresses that are new, gone, and the same with other contents."""
    old = {item.email: item for item in before.items}
    new = {item.email: item for item in after.items}
    both = old.keys() & new.keys()
    return Changed(
        added=len(new) - len(both),
        removed=len(old) - len(both),
        changed=sum(old[email] != new[email] for email in both),
    )
