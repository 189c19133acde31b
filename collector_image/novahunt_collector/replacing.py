"""Decides whether what was collected may take the place of what is stored for the domain. Pure."""

from novahunt_contract.document import Document
from novahunt_contract.outcomes import Reason


def plan_shows_less(new: Document, stored: Document) -> bool:
    """Tell whether the plan ended a collection before the stored one's end, and so would make the document shorter.

    Where just as far was asked, Hunter has fewer: that is news, and is stored.

    Args:
        new: What was collected now.
        stored: The domain's document, of whatever search.
    """
    same = new.search_hash == stored.search_hash
    return same and new.truncated == Reason.PLAN_LIMIT and _given(new) < _given(stored) and _reach(new) < _reach(stored)


def _given(document: Document) -> int:
    """Return how many addresses Hunter gave, those that a suppression list kept out included."""
    return document.total + document.suppressed


def _reach(document: Document) -> int:
    """Return how many addresses were asked for; at least those that came, where the pages are not known."""
    return max(sum(document.pages), _given(document))
