"""The order in which a domain's addresses are listed from page to page, and how truthful its totals are."""

from collections.abc import Sequence
from hashlib import blake2b
from random import Random
from typing import Annotated, Literal

import msgspec

from hunter_simulator.people import MAX_SIZE, Person
from hunter_simulator.search import Page


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a list behaves: Hunter promises neither its order nor that pages don't overlap."""

    order: Literal["stable", "within_page", "everywhere"] = "stable"
    """`within_page` shuffles each answer by itself, so that all pages together still hold everybody; `everywhere`
    shuffles the whole list anew for each request, so that a person may be seen twice or never."""
    seed: int = 0
    """Of the shuffling."""
    repeat_every: Annotated[int, msgspec.Meta(ge=0)] = 0
    """After so many addresses an earlier one is listed once more, maybe of an earlier page; 0: never."""
    reported_share: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    """`meta.results` is only this share of the true number and marked by `results_approximate`; None: exact."""
    growth: int = 0
    """So many addresses come to the end of the list with each answered request; below 0 they go."""
    growth_ends_at: Annotated[int, msgspec.Meta(ge=0, le=MAX_SIZE)] | None = None
    """The size at which growing or shrinking ends; None: at 25,000 or 0."""

    @property
    def in_order(self) -> bool:
        """A page holds the people of its own positions: nobody comes from elsewhere in the list."""
        return self.order != "everywhere" and not self.repeat_every


class Slice(msgspec.Struct, frozen=True):
    """One page of a list, with what is said about the whole."""

    people: tuple[Person, ...]
    results: int
    approximate: bool


def size_after(size: int, listing: Listing, answered: int) -> int:
    """Return the size of a domain after so many answered searches."""
    if listing.growth == 0:
        return size
    moved = size + listing.growth * answered
    if listing.growth > 0:
        end = MAX_SIZE if listing.growth_ends_at is None else listing.growth_ends_at
        return max(size, min(moved, end))
    return min(size, max(moved, listing.growth_ends_at or 0))


def page_of(people: Sequence[Person], total: int, page: Page, listing: Listing, answered: int) -> Slice:
    """Return one page of the people found, as the request number `answered` of this domain sees it.

    `people` may end with the page where the listing is `in_order`; `total` is the number of all.
    """
    listed = _with_repeats(people, listing.repeat_every)
    if listing.order == "everywhere":
        listed = _shuffled(listed, listing.seed, answered)
    shown = listed[page.offset : page.offset + page.limit]
    if listing.order == "within_page":
        shown = _shuffled(shown, listing.seed, answered)
    approximate = listing.reported_share is not None
    results = int(total * listing.reported_share) if listing.reported_share is not None else total
    return Slice(tuple(shown), results, approximate)


def _with_repeats(people: Sequence[Person], repeat_every: int) -> Sequence[Person]:
    if not repeat_every:
        return people
    listed: list[Person] = []
    for number, person in enumerate(people, start=1):
        listed.append(person)
        if number % repeat_every == 0:
            digest = blake2b(number.to_bytes(4), digest_size=4).digest()
            listed.append(people[int.from_bytes(digest) % number])
    return listed


def _shuffled(people: Sequence[Person], seed: int, answered: int) -> Sequence[Person]:
    mixed = list(people)
    Random(f"{seed}/{answered}").shuffle(mixed)
    return mixed
