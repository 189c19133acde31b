"""Decides which pages of an unfinished run a new one begins with."""

import logging
from datetime import datetime

from novahunt_collector import checkpoint as checkpoints
from novahunt_collector.checkpoint import Checkpoint, Header
from novahunt_collector.storage.interface import PageLog
from novahunt_collector.suppression import Lists
from novahunt_collector.sweep_rules import Rules, left_of_checkpoint
from novahunt_contract import times
from novahunt_contract.document import Document

_log = logging.getLogger(__name__)


def oldest(wish: datetime | None, header: Header, stored: Document | None) -> datetime | None:
    """Return when pages must have been begun to be of use: after the wish, and not before what they would replace.

    Args:
        wish: What was begun earlier is too old; None: nothing is.
        header: What is collected now.
        stored: The domain's document, of whatever search.
    """
    if stored is None or stored.search_hash != header.search_hash:
        return wish
    try:
        collected_at = times.from_text(stored.collected_at)
    except ValueError:
        return wish
    return collected_at if wish is None else max(wish, collected_at)


async def find(
    pages: PageLog | None, header: Header, not_before: datetime | None, lists: Lists, *, again: bool
) -> Checkpoint | None:
    """Return what a run that was not finished saved; None if there is nothing that can be gone on with.

    What is of no use any more is removed: it holds personal data.

    Args:
        pages: Where pages are kept; None: nowhere.
        header: What is collected now.
        not_before: What was begun earlier is too old; None: nothing is.
        lists: What must not be stored; it is left out of what is returned.
        again: Everything is to be asked anew.

    Raises:
        StorageFailedError: the place can't be used.
    """
    found = await pages.load() if pages is not None else None
    if pages is None or found is None or not found.pages:
        return None
    reason = "everything is to be asked anew" if again else None
    reason = reason or checkpoints.unfit(
        found, domain=header.domain, search_hash=header.search_hash, not_before=not_before
    )
    left = left_of_checkpoint(found, Rules(lists, retain_from=None))
    if reason is None and isinstance(left, Checkpoint):
        return left
    _log.warning("%d pages of an unfinished run are dropped: %s", len(found.pages), reason)
    await pages.remove()
    return None


async def begin(pages: PageLog | None, header: Header, found: Checkpoint | None) -> Checkpoint:
    """Return what to begin with, taken over for this process.

    Args:
        pages: Where pages are kept; None: nowhere.
        header: What a new collection would begin with.
        found: What is gone on with; None: nothing, it begins anew.

    Raises:
        StorageFailedError: the place can't be used.
    """
    begun = found or Checkpoint(header)
    if pages is not None:
        await pages.begin(begun)
    if found is not None:
        _log.info("going on after %d pages that were saved since %s", len(found.pages), found.header.started)
    if begun.header.page_size != header.page_size:
        _log.info(
            "pages of %d, as it was begun with, and not of %d: what was asked for once is not paid for twice",
            begun.header.page_size, header.page_size,
        )  # fmt: skip
    return begun
