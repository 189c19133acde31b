"""The one form of a point in time: UTC, milliseconds, `2024-11-21T12:00:00.000Z`."""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Return an aware moment as UTC text with milliseconds and a `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Return the aware moment that RFC 3339 text names.

    Raises:
        ValueError: the text is no RFC 3339 time, or has no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time has no offset: end it with Z")
    return moment


def to_milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since 1970-01-01 UTC."""
    return int(moment.timestamp() * 1000)
