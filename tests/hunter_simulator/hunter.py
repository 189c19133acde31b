"""What Hunter answers when nothing goes wrong on the way: the three calls, with plans, credits and repeats."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import msgspec

from hunter_simulator import answers, listing, problems, search
from hunter_simulator.domains import Domain, by_name, canonical, domain_of_company
from hunter_simulator.faults import Asked, Endpoint
from hunter_simulator.ledger import Ledger, Request
from hunter_simulator.listing import Listing
from hunter_simulator.people import Person, truth
from hunter_simulator.plans import Plan, period_at, price, with_reset_date
from hunter_simulator.problems import Problem, RefusedError
from hunter_simulator.report import Outcome
from hunter_simulator.search import Filters
from hunter_simulator.settings import Config, Key, Settings

TEST_KEY = "test-api-key"
"""Hunter's key for smoke tests: its requests are validated, then all get the same answer, free of charge."""

_TEST_KEY = Key(TEST_KEY, Plan(name="Test"))


class Computed(msgspec.Struct, frozen=True, kw_only=True):
    """A finished answer with what it cost."""

    status: int = 200
    body: bytes
    content_type: str = "application/json"
    outcome: Outcome = "answered"
    addresses: int = 0
    credits: int = 0
    repeat: bool = False
    searched: bool = False


class Hunter:
    """All that Hunter knows and remembers."""

    def __init__(self, config: Config, now: datetime) -> None:
        self.settings = config.settings
        self.domains: dict[str, Domain] = {}
        self._answered: Counter[str] = Counter()
        for name, domain in config.domains.items():
            self.set_domain(name, domain)
        self._ledger = Ledger()
        self._keys: dict[str, Key] = {}
        self._revoked: set[str] = set()
        for key in config.keys:
            self.set_key(key.key, key.plan, now)

    def keys(self) -> tuple[Key, ...]:
        """Return the keys that are valid now."""
        return tuple(key for key in self._keys.values() if key.key not in self._revoked)

    def set_key(self, key: str, plan: Plan | None, now: datetime) -> None:
        """Make a key valid; a plan begins its account anew, without one a known key keeps its account."""
        self._revoked.discard(key)
        if plan is None and key in self._keys:
            return
        plan = with_reset_date(plan or Plan(), now)
        self._keys[key] = Key(key, plan)
        self._ledger.begin(key, plan, period_at(now, plan))

    def remove_key(self, key: str) -> bool:
        """Make a key invalid, its account stays; tells whether it was valid."""
        if key not in self._keys or key in self._revoked:
            return False
        self._revoked.add(key)
        return True

    def known_key(self, key: str | None) -> Key | None:
        """Return a valid key with its plan, or None for any other."""
        if key == TEST_KEY:
            return _TEST_KEY
        return None if key is None or key in self._revoked else self._keys.get(key)

    def set_domain(self, name: str, domain: Domain) -> str:
        """Set what is held for a domain, and return its ASCII name.

        Raises:
            ValueError: it is no domain name.
        """
        ascii_name = canonical(name)
        if ascii_name is None:
            raise ValueError("not a domain name")
        self.domains[ascii_name] = domain
        self._answered.pop(ascii_name, None)
        return ascii_name

    def domain(self, name: str) -> Domain:
        """Return what is held for a domain, given in ASCII form."""
        return self.domains.get(name) or by_name(name)

    def size(self, name: str) -> int:
        """Return how many addresses a domain lists now, before filters."""
        domain = self.domain(name)
        if not domain.known or domain.webmail:
            return 0
        return listing.size_after(domain.size, domain.listing or self.settings.listing, self._answered[name])

    def asked(self, endpoint: Endpoint, parameters: Mapping[str, str]) -> Asked:
        """Return the marks of a request, as far as it can be read."""
        if endpoint == "account":
            return Asked(endpoint)
        domain = self._name(parameters)
        if endpoint == "email-count":
            return Asked(endpoint, domain)
        try:
            return Asked(endpoint, domain, int(parameters.get("offset", "0")))
        except ValueError:
            return Asked(endpoint, domain)

    def compute(self, endpoint: Endpoint, key: Key, parameters: Mapping[str, str], now: datetime) -> Computed:
        """Answer one request of a valid key, and charge for it; `now` is the wall clock that billing goes by."""
        try:
            if endpoint == "account":
                return self._account(key, now)
            if endpoint == "email-count":
                return self._email_count(key, parameters)
            return self._domain_search(key, parameters, now)
        except RefusedError as refused:
            return refusal(refused.problem, self.settings, "invalid")

    def _domain_search(self, key: Key, parameters: Mapping[str, str], now: datetime) -> Computed:
        name = self._required_name(parameters)
        page = search.read_page(parameters)
        filters = search.read_filters(parameters)
        if key.key == TEST_KEY:
            return Computed(body=msgspec.json.encode(answers.fixed_search_answer()), addresses=5)
        if key.plan.restricted:
            return refusal(problems.RESTRICTED_ACCOUNT, self.settings, "restricted")
        cap = key.plan.result_cap
        if cap is not None and page.limit + page.offset > cap:
            return refusal(problems.over_plan_cap(cap), self.settings, "plan_cap")
        domain = self._searchable(name)
        return self._paid_page(key, Request(name, filters, page), domain, parameters, now)

    def _paid_page(
        self, key: Key, request: Request, domain: Domain, parameters: Mapping[str, str], now: datetime
    ) -> Computed:
        name = request.domain
        own_listing = domain.listing or self.settings.listing
        people, total = self._found(request, own_listing)
        shown = listing.page_of(people, total, request.page, own_listing, self._answered[name])
        charge = self._ledger.charge(
            key.key,
            key.plan,
            period_at(now, key.plan),
            request,
            cost=price(len(shown.people)),
            repeats_cost=self.settings.repeats_cost,
        )
        if charge is None:
            return refusal(problems.used_up(self.settings.used_up_status), self.settings, "used_up")
        self._answered[name] += 1
        return Computed(
            body=msgspec.json.encode(answers.search_answer(name, domain, shown, request.page, parameters)),
            addresses=len(shown.people),
            credits=charge.credits,
            repeat=charge.repeat,
            searched=True,
        )

    def _found(self, request: Request, own_listing: Listing) -> tuple[tuple[Person, ...], int]:
        """Return the people among whom the page lies, and the number of all.

        Inventing 25,000 people at once takes a quarter of a second, in which arrivals would be stamped too late.
        """
        size = self.size(request.domain)
        if request.filters == Filters() and own_listing.in_order:
            return truth(request.domain, min(size, request.page.offset + request.page.limit)), size
        people = search.found(truth(request.domain, size), request.filters)
        return people, len(people)

    def _email_count(self, key: Key, parameters: Mapping[str, str]) -> Computed:
        name = self._required_name(parameters)
        wanted = Filters(type=search.read_type(parameters))
        if key.key == TEST_KEY:
            return Computed(body=msgspec.json.encode(answers.fixed_count_answer()))
        self._searchable(name)
        people = search.found(truth(name, self.size(name)), wanted)
        return Computed(body=msgspec.json.encode(answers.count_answer(people, parameters)))

    def _account(self, key: Key, now: datetime) -> Computed:
        period = period_at(now, key.plan)
        used = self._ledger.used(key.key, period)
        answer = answers.account_answer(key.plan, period, used, names_credits=self.settings.account_names_credits)
        return Computed(body=msgspec.json.encode(answer))

    def _name(self, parameters: Mapping[str, str]) -> str | None:
        name = parameters.get("domain")
        if name:
            return canonical(name)
        company = parameters.get("company")
        return domain_of_company(company, self.domains) if company else None

    def _required_name(self, parameters: Mapping[str, str]) -> str:
        if not parameters.get("domain") and not parameters.get("company"):
            raise RefusedError(problems.MISSING_DOMAIN)
        name = self._name(parameters)
        if name is None:
            raise RefusedError(problems.INVALID_DOMAIN)
        return name

    def _searchable(self, name: str) -> Domain:
        domain = self.domain(name)
        if domain.refused:
            raise RefusedError(problems.INVALID_DOMAIN)
        return domain


def refusal(problem: Problem, settings: Settings, outcome: Outcome) -> Computed:
    """Return an error answer in the form that the settings ask for."""
    body, content_type = problems.body_of(problem, settings.error_form)
    return Computed(status=problem.status, body=body, content_type=content_type, outcome=outcome)
