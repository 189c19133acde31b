"""Why the gateway does not do what a caller asks, over REST and on the page alike."""

from typing import ClassVar


class NotDoneError(Exception):
    """It is not done; the text says why, for the caller, and holds no address and no token."""

    code: ClassVar[int]
    """The HTTP status that tells it."""


class TakenError(NotDoneError):
    """There is a collection of that name, which is not the caller's to use so."""

    code = 409


class RefusedError(NotDoneError):
    """The API server refuses it for good."""

    code = 400


class PlaceError(NotDoneError):
    """Documents can't be read from here; the text says which, and why."""

    code = 409


class BusyError(NotDoneError):
    """It can't be done at this moment: the API server is away or lacks something, or others change the same thing."""

    code = 503
