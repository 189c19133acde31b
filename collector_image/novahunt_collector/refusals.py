"""A refusal by Hunter, or by something in front of it, taken apart: status, error identifiers, words, Retry-After.

Error bodies come in three forms: `{"errors": [{"id", "code", "details"}]}`, the old `{"error": {...}}`, and
HTML or plain text of a proxy; any of them may be cut off (Hunter's API documentation and recorded answers,
read 2026-11).
"""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec


class Refusal(msgspec.Struct, frozen=True):
    """An answer with a status other than 200."""

    status: int
    from_hunter: bool = False
    """True: the body has one of the two forms of Hunter's errors, even if it is cut off."""
    identifier: str = ""
    """Hunter's name of the error, such as `wrong_params`; empty if it gave none."""
    details: str = ""
    """Hunter's words. For deciding only: they may repeat what was asked for, so they are never logged."""
    retry_after: float | None = None
    """Seconds, from the header Retry-After."""


_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CUT_FORM = re.compile(r'\s*\{\s*"errors?"\s*:\s*[\[{]')
_CUT_MEMBER = re.compile(r'"(id|details)"\s*:\s*"((?:[^"\\]|\\.)*)')
_LONGEST_DETAILS = 2000
_LONGEST_WAIT = 10 * 365 * 86_400.0


def read_refusal(status: int, body: bytes, retry_after: str | None, now: datetime) -> Refusal:
    """Take a refusal apart; any body will do.

    Args:
        status: The HTTP status.
        body: What came of the body.
        retry_after: The header Retry-After, if there is one.
        now: The time that an HTTP date in that header is compared with.
    """
    text = body.decode(errors="replace")
    try:
        error = _read_whole(json.loads(text))
    except (ValueError, RecursionError):
        error = _read_cut(text)
    wait = read_retry_after(retry_after, now)
    if error is None:
        return Refusal(status=status, retry_after=wait)
    identifier = error.get("id")
    details = error.get("details")
    return Refusal(
        status=status,
        from_hunter=True,
        identifier=identifier if isinstance(identifier, str) and _IDENTIFIER.fullmatch(identifier) else "",
        details=details[:_LONGEST_DETAILS] if isinstance(details, str) else "",
        retry_after=wait,
    )


def read_retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110: seconds or an HTTP date).

    None if there is no header, or it is neither; 0 for a date that has passed.
    """
    text = (header or "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return min(float(text), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # A date with the zone "-0000" is read without one; HTTP dates are UTC.
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), _LONGEST_WAIT)


def _read_whole(answer: object) -> dict[str, object] | None:
    if not isinstance(answer, dict):
        return None
    errors = answer.get("errors")
    candidate = errors[0] if isinstance(errors, list) and errors else answer.get("error")
    if isinstance(candidate, dict) and not candidate.keys().isdisjoint(("id", "code", "details")):
        return candidate
    return None


def _read_cut(text: str) -> dict[str, object] | None:
    """Read what came of one of Hunter's forms; None if the text doesn't begin like one."""
    if not _CUT_FORM.match(text):
        return None
    error: dict[str, object] = {}
    for name, value in _CUT_MEMBER.findall(text[:_LONGEST_DETAILS]):
        error.setdefault(name, value)
    return error
