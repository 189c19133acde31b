"""What the work in hand is about: a collection, a domain of it, a run. Each log line written meanwhile names it."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Subject(NamedTuple):
    """What is in hand; None: nothing of that kind."""

    collection: str | None = None
    """Namespace and name, with a slash between them."""
    domain: str | None = None
    run: int | None = None


_NOTHING = Subject()

_in_hand: contextvars.ContextVar[Subject] = contextvars.ContextVar("subject_in_hand", default=_NOTHING)


def in_hand() -> Subject:
    """Return what the work of this task is about."""
    return _in_hand.get()


def narrow(collection: object = None, domain: str | None = None, run: int | None = None) -> None:
    """Take that the rest of this task is about these; what is not given stays as it is."""
    before = _in_hand.get()
    _in_hand.set(
        Subject(
            before.collection if collection is None else str(collection),
            before.domain if domain is None else domain,
            before.run if run is None else run,
        )
    )


@contextmanager
def about(collection: object = None, domain: str | None = None, run: int | None = None) -> Iterator[None]:
    """Do what is inside about these; what is not given stays as it is, and afterwards all is as before."""
    before = _in_hand.get()
    narrow(collection, domain, run)
    try:
        yield
    finally:
        # A token would not do: a generator of an answer may end in another context than it began in.
        _in_hand.set(before)
