"""Decides whether a stored document answers what is wanted now, so that Hunter need not be asked. Pure."""

from datetime import datetime

from novahunt_contract import times
from novahunt_contract.document import Document
from novahunt_contract.outcomes import Reason


def is_fresh(
    document: Document, *, search_hash: str, not_before: datetime | None, max_results: int, max_credits: int | None
) -> bool:
    """Tell whether a document is as good as a new one.

    Args:
        document: What is stored.
        search_hash: Of the filters wanted now.
        not_before: A document collected earlier is too old; None: none is.
        max_results: The cap wanted now, in addresses.
        max_credits: The domain's share of the budget now, in credits; None: there is none.
    """
    if document.search_hash != search_hash:
        return False
    if not_before is not None:
        try:
            collected_at = times.from_text(document.collected_at)
        except ValueError:
            return False
        if collected_at < not_before:
            return False
    if document.truncated == Reason.BUDGET:
        return False
    if document.truncated == Reason.DOMAIN_BUDGET:
        return max_credits is not None and document.max_credits >= max_credits
    return document.truncated != Reason.MAX_RESULTS or document.max_results >= max_results
