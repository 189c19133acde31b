"""Decides what a sweep leaves of what is stored: of a document, and of the saved pages of an unfinished run. Pure."""

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from novahunt_collector.checkpoint import Checkpoint, SavedPage
from novahunt_collector.suppression import Lists, Sieve, without_listed
from novahunt_contract import times
from novahunt_contract.document import Document


class Rules(NamedTuple):
    """What may stay."""

    lists: Lists
    retain_from: datetime | None
    """What was collected before is too old; None: nothing is."""


class Remove(NamedTuple):
    """Nothing may stay of it."""

    expired: bool
    """For its age; false: a list names its domain."""


def left_of_document(document: Document, rules: Rules, stored_at: str) -> Document | Remove:
    """Return what may stay of a document; the very same one if all of it may.

    Args:
        document: What is stored.
        rules: What may stay.
        stored_at: For what is left of it, UTC text with milliseconds.
    """
    removal = _removal(document.domain, document.collected_at, rules)
    return removal or without_listed(document, rules.lists, stored_at)


def left_of_checkpoint(checkpoint: Checkpoint, rules: Rules) -> Checkpoint | Remove:
    """Return what may stay of saved pages; the very same ones if all of them may.

    What their answers said in numbers stays: the run goes on as if it had met the lists when they came.
    """
    header = checkpoint.header
    removal = _removal(header.domain, header.started, rules)
    if removal is not None:
        return removal
    sieve = Sieve(rules.lists)
    pages = tuple(_left_of_page(page, sieve) for page in checkpoint.pages)
    return msgspec.structs.replace(checkpoint, pages=pages) if sieve.held_back else checkpoint


def _left_of_page(page: SavedPage, sieve: Sieve) -> SavedPage:
    before = sieve.held_back
    items = sieve.passed(page.items)
    return msgspec.structs.replace(page, items=items, held_back=page.held_back + sieve.held_back - before)


def _moment(text: str) -> datetime:
    """What does not say when it was collected counts as too old."""
    try:
        return times.from_text(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _removal(domain: str, collected_at: str, rules: Rules) -> Remove | None:
    if rules.lists.name_domain(domain):
        return Remove(expired=False)
    if rules.retain_from is not None and _moment(collected_at) < rules.retain_from:
        return Remove(expired=True)
    return None
