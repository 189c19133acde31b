"""One domain-search: reads and checks its parameters as Hunter does, and applies its filters to people."""

from collections.abc import Iterable, Mapping
from typing import get_args

import msgspec

from hunter_simulator import problems, vocabulary
from hunter_simulator.people import AddressType, Person, VerificationStatus
from hunter_simulator.problems import Problem, RefusedError

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
MAX_OFFSET = 10_000

REQUIRED_FIELDS = frozenset({"full_name", "position", "phone_number"})
_TYPES: tuple[str, ...] = get_args(AddressType)


class Filters(msgspec.Struct, frozen=True):
    """What a search narrows its answer to; an empty set lets everything through."""

    type: str | None = None
    seniority: frozenset[str] = frozenset()
    department: frozenset[str] = frozenset()
    required_field: frozenset[str] = frozenset()
    verification_status: frozenset[str] = frozenset()


_NO_FILTERS = Filters()


class Page(msgspec.Struct, frozen=True):
    """The part of a list that is asked for."""

    limit: int = DEFAULT_LIMIT
    offset: int = 0


def read_page(parameters: Mapping[str, str]) -> Page:
    """Read limit (1 to 100, default 10) and offset (0 to 10,000, default 0).

    Raises:
        RefusedError: 400 pagination_error.
    """
    limit = _number(parameters.get("limit"), DEFAULT_LIMIT, problems.LIMIT_OUT_OF_RANGE)
    if not 1 <= limit <= MAX_LIMIT:
        raise RefusedError(problems.LIMIT_OUT_OF_RANGE)
    offset = _number(parameters.get("offset"), 0, problems.OFFSET_OUT_OF_RANGE)
    if offset > MAX_OFFSET:
        raise RefusedError(problems.OFFSET_OUT_OF_RANGE)
    return Page(limit, offset)


def read_filters(parameters: Mapping[str, str]) -> Filters:
    """Read the filters; unknown values of a list are ignored, a list without any known value is refused.

    Raises:
        RefusedError: 400 with invalid_type, invalid_seniority, invalid_department and so on.
    """
    return Filters(
        type=read_type(parameters),
        seniority=_known(parameters, "seniority", vocabulary.SENIORITIES, problems.INVALID_SENIORITY),
        department=_known(parameters, "department", vocabulary.DEPARTMENTS, problems.INVALID_DEPARTMENT),
        required_field=_known(parameters, "required_field", REQUIRED_FIELDS, problems.INVALID_REQUIRED_FIELD),
        verification_status=_known(
            parameters, "verification_status", get_args(VerificationStatus), problems.INVALID_VERIFICATION_STATUS
        ),
    )


def read_type(parameters: Mapping[str, str]) -> str | None:
    """Read `type`, which holds one value, personal or generic, and not a list.

    Raises:
        RefusedError: 400 invalid_type.
    """
    value = parameters.get("type", "").strip().lower()
    if not value:
        return None
    if value not in _TYPES:
        raise RefusedError(problems.INVALID_TYPE)
    return value


def found(people: Iterable[Person], filters: Filters) -> tuple[Person, ...]:
    """Return the people whom the filters let through, in their order."""
    if filters == _NO_FILTERS:
        return tuple(people)
    return tuple(person for person in people if passes(person, filters))


def passes(person: Person, filters: Filters) -> bool:
    """Tell whether one person is let through: values of one filter are alternatives, filters add up."""
    return (
        (filters.type is None or person.type == filters.type)
        and (not filters.seniority or person.seniority in filters.seniority)
        and (not filters.department or person.department in filters.department)
        and (not filters.verification_status or person.verification.status in filters.verification_status)
        and all(_has(person, field) for field in filters.required_field)
    )


def _has(person: Person, field: str) -> bool:
    if field == "full_name":
        return person.first_name is not None and person.last_name is not None
    if field == "position":
        return person.position is not None
    return person.phone_number is not None


def _number(text: str | None, default: int, problem: Problem) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise RefusedError(problem)
    return int(text)


def _known(parameters: Mapping[str, str], name: str, known: Iterable[str], problem: Problem) -> frozenset[str]:
    wanted = {value.strip().lower() for value in parameters.get(name, "").split(",")} - {""}
    if not wanted:
        return frozenset()
    kept = wanted & frozenset(known)
    if not kept:
        raise RefusedError(problem)
    return frozenset(kept)
