"""The bodies of Hunter's successful answers (Hunter's API documentation, read 2026-11)."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from hunter_simulator import vocabulary
from hunter_simulator.domains import Domain, organization_of
from hunter_simulator.listing import Slice
from hunter_simulator.people import Person, pattern_of, truth
from hunter_simulator.plans import Period, Plan
from hunter_simulator.search import Page

_FIXED_SIZE = 5


class SearchData(msgspec.Struct, frozen=True):
    """`data` of a domain-search; an unknown domain holds nulls and no addresses."""

    domain: str
    emails: tuple[Person, ...] = ()
    disposable: bool | None = None
    webmail: bool | None = None
    accept_all: bool | None = None
    pattern: str | None = None
    organization: str | None = None
    linked_domains: tuple[str, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """`meta.params`: the parameters as they were given."""

    domain: str | None = None
    company: str | None = None
    type: str | None = None
    seniority: str | None = None
    department: str | None = None
    required_field: str | None = None
    verification_status: str | None = None


class SearchMeta(msgspec.Struct, frozen=True):
    """`meta` of a domain-search."""

    results: int
    limit: int
    offset: int
    params: Asked
    results_approximate: bool | UnsetType = UNSET


class SearchAnswer(msgspec.Struct, frozen=True):
    """A domain-search."""

    data: SearchData
    meta: SearchMeta


class CountData(msgspec.Struct, frozen=True):
    """`data` of an email-count."""

    total: int
    personal_emails: int
    generic_emails: int
    department: dict[str, int]
    seniority: dict[str, int]


class CountMeta(msgspec.Struct, frozen=True):
    """`meta` of an email-count."""

    params: Asked


class CountAnswer(msgspec.Struct, frozen=True):
    """An email-count."""

    data: CountData
    meta: CountMeta


class Usage(msgspec.Struct, frozen=True):
    """How much of one allowance is used; `available` is the whole of it, not what is left."""

    used: float
    available: float
    remaining: float | UnsetType = UNSET


class Requests(msgspec.Struct, frozen=True):
    """All allowances of an account."""

    searches: Usage
    verifications: Usage
    credits: Usage | UnsetType = UNSET


class AccountData(msgspec.Struct, frozen=True):
    """`data` of an account."""

    first_name: str
    last_name: str
    email: str
    plan_name: str
    plan_level: int
    reset_date: str
    requests: Requests


class AccountAnswer(msgspec.Struct, frozen=True):
    """An account."""

    data: AccountData


def search_answer(name: str, domain: Domain, found: Slice, page: Page, parameters: Mapping[str, str]) -> SearchAnswer:
    """Return the answer that shows one page of what was found."""
    data = SearchData(domain=name)
    if domain.known:
        data = SearchData(
            domain=name,
            emails=found.people,
            disposable=domain.disposable,
            webmail=domain.webmail,
            accept_all=domain.accept_all,
            pattern=None if domain.webmail else pattern_of(name),
            organization=None if domain.webmail else organization_of(name, domain),
        )
    return SearchAnswer(
        data,
        SearchMeta(
            results=found.results,
            limit=page.limit,
            offset=page.offset,
            params=_asked(parameters),
            results_approximate=True if found.approximate else UNSET,
        ),
    )


def count_answer(people: Sequence[Person], parameters: Mapping[str, str]) -> CountAnswer:
    """Return the counts of a domain, with a zero for each department and seniority that nobody has."""
    departments = Counter(person.department for person in people)
    seniorities = Counter(person.seniority for person in people)
    personal = sum(person.type == "personal" for person in people)
    return CountAnswer(
        CountData(
            total=len(people),
            personal_emails=personal,
            generic_emails=len(people) - personal,
            department={name: departments[name] for name in vocabulary.DEPARTMENTS},
            seniority={name: seniorities[name] for name in vocabulary.SENIORITIES},
        ),
        CountMeta(_asked(parameters)),
    )


def account_answer(plan: Plan, period: Period, used: float, *, names_credits: bool) -> AccountAnswer:
    """Return the state of an account; searches and credits are the same allowance."""
    spending = Usage(_short(used), _short(plan.credits))
    return AccountAnswer(
        AccountData(
            first_name="Ada",
            last_name="Lindberg",
            email="ada@example.com",
            plan_name=plan.name,
            plan_level=1,
            reset_date=period.reset_date.isoformat(),
            requests=Requests(
                searches=spending,
                verifications=Usage(0, _short(plan.credits * 2)),
                credits=Usage(spending.used, spending.available, _short(max(0, plan.credits - used)))
                if names_credits
                else UNSET,
            ),
        )
    )


def fixed_search_answer() -> SearchAnswer:
    """Return what the key `test-api-key` gets for every valid search."""
    people = truth("example.com", _FIXED_SIZE)
    shown = Slice(people, _FIXED_SIZE, approximate=False)
    return search_answer("example.com", Domain(size=_FIXED_SIZE), shown, Page(), {"domain": "example.com"})


def fixed_count_answer() -> CountAnswer:
    """Return what the key `test-api-key` gets for every valid count."""
    return count_answer(truth("example.com", _FIXED_SIZE), {"domain": "example.com"})


def _asked(parameters: Mapping[str, str]) -> Asked:
    return msgspec.convert({name: parameters[name] for name in Asked.__struct_fields__ if name in parameters}, Asked)


def _short(number: float) -> float:
    """Return a whole number as such: JSON then shows 10 and not 10.0."""
    return int(number) if float(number).is_integer() else number
