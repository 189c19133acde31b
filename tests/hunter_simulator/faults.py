"""Faults: what may go wrong with a request, which requests it happens to, and how often."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Annotated, Literal

import msgspec

from hunter_simulator.problems import ErrorForm

Endpoint = Literal["domain-search", "email-count", "account"]
TypeMistake = Literal[
    "answer_is_list", "data_is_list", "data_is_null", "emails_is_object", "value_is_number", "confidence_is_text",
    "sources_is_text", "meta_is_missing", "results_is_text",
]  # fmt: skip


class Proceed(msgspec.Struct, frozen=True, tag_field="do", tag="proceed", forbid_unknown_fields=True):
    """The ordinary answer; useful with a delay."""


class AnswerStatus(msgspec.Struct, frozen=True, tag_field="do", tag="status", forbid_unknown_fields=True):
    """Another answer in place of Hunter's."""

    status: Annotated[int, msgspec.Meta(ge=200, le=599)] = 503
    error_id: str | None = None
    """None: the identifier that belongs to the status."""
    details: str | None = None
    form: ErrorForm | Literal["as_settings", "text", "empty"] = "as_settings"
    """`html` with 200, 403 or 502 is a proxy's page; `text` is Cloudflare's "error code: 1010"."""
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Seconds of a Retry-After header; None: no header."""
    retry_after_as_date: bool = False
    """Retry-After is an HTTP date, that many seconds from now, in place of the seconds."""
    charged: bool = False
    """The search was carried out and charged before this answer took its place, as with a gateway's time-out."""


class Redirect(msgspec.Struct, frozen=True, tag_field="do", tag="redirect", forbid_unknown_fields=True):
    """A redirect, which a client that holds a key should not follow."""

    status: Literal[301, 302, 303, 307, 308] = 302
    location: str = "/v2/redirected"
    """The default shows up in the report's paths when a client follows."""


class CutBody(msgspec.Struct, frozen=True, tag_field="do", tag="cut", forbid_unknown_fields=True):
    """The connection ends within the body: Content-Length promised more, or the last chunk is missing."""

    kept: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.5
    """The share of the body that is sent."""
    chunked: bool = False


class EmptyBody(msgspec.Struct, frozen=True, tag_field="do", tag="empty", forbid_unknown_fields=True):
    """The ordinary status and headers without any body."""


class BrokenJson(msgspec.Struct, frozen=True, tag_field="do", tag="broken_json", forbid_unknown_fields=True):
    """A complete HTTP answer whose JSON stops half-way."""


class WrongTypes(msgspec.Struct, frozen=True, tag_field="do", tag="wrong_types", forbid_unknown_fields=True):
    """Valid JSON with a value of the wrong type."""

    mistake: TypeMistake = "data_is_list"


class HugeBody(msgspec.Struct, frozen=True, tag_field="do", tag="huge", forbid_unknown_fields=True):
    """Valid JSON, blown up with blanks."""

    size: Annotated[int, msgspec.Meta(ge=1, le=256 * 1024 * 1024)] = 17 * 1024 * 1024
    """Bytes, before compression."""
    announced: bool = True
    """Content-Length tells the size; else the body comes in chunks."""
    compressed: bool = False
    """Sent with gzip: small on the wire, huge in memory."""


class Reset(msgspec.Struct, frozen=True, tag_field="do", tag="reset", forbid_unknown_fields=True):
    """The connection is reset before a single byte of the answer."""

    charged: bool = False
    """The search was carried out and charged before."""


Action = Proceed | AnswerStatus | Redirect | CutBody | EmptyBody | BrokenJson | WrongTypes | HugeBody | Reset


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that goes wrong; what is None matches every request."""

    action: Action
    domain: str | None = None
    offset: int | None = None
    endpoint: Endpoint | None = None
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    """So many matching requests pass before the fault begins."""
    times: Annotated[int, msgspec.Meta(ge=1)] | None = 1
    """How often it happens; None: always."""
    count_per: Literal["fault", "domain", "page"] = "fault"
    """What `after` and `times` count: all matching requests together, those of each domain, or of each page."""
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """Of a matching request to be hit."""
    seed: int = 0
    """Of the probability. The outcome depends on what is asked for the how-manieth time, not on who else asks."""
    delay: Annotated[float, msgspec.Meta(ge=0)] = 0
    """Seconds between the arrival and the answer."""


class Asked(msgspec.Struct, frozen=True):
    """The marks of a request by which a fault knows it."""

    endpoint: Endpoint
    domain: str | None = None
    offset: int | None = None


@dataclass
class _Armed:
    fault: Fault
    matched: Counter[Asked | str | None] = field(default_factory=Counter)
    fired: Counter[Asked | str | None] = field(default_factory=Counter)
    seen: Counter[Asked] = field(default_factory=Counter)


class FaultBoard:
    """All faults that are set, and how often each has happened."""

    def __init__(self) -> None:
        self._armed: dict[int, _Armed] = {}
        self._last_number = 0

    def add(self, fault: Fault) -> int:
        """Set a fault and return the number that names it."""
        self._last_number += 1
        self._armed[self._last_number] = _Armed(fault)
        return self._last_number

    def remove(self, number: int) -> bool:
        """Take a fault back; tells whether it was there."""
        return self._armed.pop(number, None) is not None

    def clear(self) -> None:
        """Take all faults back."""
        self._armed.clear()

    def all(self) -> dict[int, Fault]:
        """Return every fault that is set, used up or not, by its number."""
        return {number: armed.fault for number, armed in self._armed.items()}

    def hit(self, asked: Asked) -> tuple[int, Fault] | None:
        """Return the first fault, in the order of setting, that happens to this request, and count it."""
        for number, armed in self._armed.items():
            if _matches(armed.fault, asked) and _fires(armed, number, asked):
                return number, armed.fault
        return None


def _matches(fault: Fault, asked: Asked) -> bool:
    return (
        fault.domain in {None, asked.domain}
        and fault.offset in {None, asked.offset}
        and fault.endpoint in {None, asked.endpoint}
    )


def _fires(armed: _Armed, number: int, asked: Asked) -> bool:
    fault = armed.fault
    group = {"fault": None, "domain": asked.domain, "page": asked}[fault.count_per]
    if fault.times is not None and armed.fired[group] >= fault.times:
        return False
    armed.matched[group] += 1
    if armed.matched[group] <= fault.after:
        return False
    armed.seen[asked] += 1
    if _chance(f"{fault.seed}/{number}/{asked}/{armed.seen[asked]}") >= fault.probability:
        return False
    armed.fired[group] += 1
    return True


def _chance(text: str) -> float:
    """Return a number from 0 to below 1 that depends on the text alone."""
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest()) / 2**48
