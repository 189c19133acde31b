"""Decides which pages of an unfinished run a new one begins with."""

import logging
from datetime import datetime
from typing import NamedTuple

from novahunt_collector import checkpoint as checkpoints
from novahunt_collector.checkpoint import Checkpoint, Header
from novahunt_collector.storage.interface import PageLog

_log = logging.getLogger(__name__)


class Wish(NamedTuple):
    """What a checkpoint must answer to be continued."""

    not_before: datetime | None
    """What was begun earlier is too old; None: nothing is."""
    again: bool
    """Everything is to be asked anew."""


async def begin(pages: PageLog | None, fresh: Header, wish: Wish) -> Checkpoint:
    """Return what to begin with, taken over for this process: the pages saved, or none.

    Args:
        pages: Where pages are kept; None: nowhere.
        fresh: What a new run of its own would begin with.
        wish: What is wanted of older pages.

    Raises:
        StorageFailedError: the place can't be used.
    """
    found = await _usable(pages, fresh, wish) if pages is not None else None
    if pages is not None:
        await pages.begin(found or Checkpoint(fresh))
    if found is None:
        return Checkpoint(fresh)
    _log.info(
        "going on after page %d: %d pages were saved since %s", len(found.pages), len(found.pages), found.header.started
    )
    if found.header.page_size != fresh.page_size:
        _log.info(
            "pages of %d, as it was begun with, and not of %d: what was asked for once is not paid for twice",
            found.header.page_size, fresh.page_size,
        )  # fmt: skip
    return found


async def _usable(pages: PageLog, fresh: Header, wish: Wish) -> Checkpoint | None:
    found = await pages.load()
    if found is None or not found.pages:
        return None
    reason = "everything is to be asked anew" if wish.again else None
    reason = reason or checkpoints.unfit(
        found, domain=fresh.domain, search_hash=fresh.search_hash, not_before=wish.not_before
    )
    if reason is None:
        return found
    _log.warning("%d pages of an unfinished run are dropped: %s", len(found.pages), reason)
    await pages.remove()
    return None
