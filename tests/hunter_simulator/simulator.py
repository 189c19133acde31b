"""The simulator: leads each request past client check, key, pace and faults to Hunter, and records it."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import msgspec

from hunter_simulator import people, problems, search, spoiling
from hunter_simulator.clock import Clock, ShiftedClock, SystemClock
from hunter_simulator.domains import Domain, canonical
from hunter_simulator.exchange import Incoming, Outgoing, client_is_refused
from hunter_simulator.faults import Asked, Endpoint, Fault, FaultBoard
from hunter_simulator.hunter import Computed, Hunter, refusal
from hunter_simulator.people import Person
from hunter_simulator.plans import Plan
from hunter_simulator.problems import Problem
from hunter_simulator.report import Entry, Outcome, Recorder, Report, fingerprint
from hunter_simulator.search import Filters
from hunter_simulator.settings import Config, Key, Settings
from hunter_simulator.windows import RateLimiter

ENDPOINTS: dict[str, Endpoint] = {
    "/v2/domain-search": "domain-search",
    "/v2/email-count": "email-count",
    "/v2/account": "account",
}

_CLIENT_REFUSED = Computed(
    status=403, body=problems.CLIENT_REFUSED, content_type="text/plain", outcome="refused_client"
)


class _Arrival(msgspec.Struct, frozen=True):
    """A request of a valid key, with both clocks at its arrival."""

    incoming: Incoming
    asked: Asked
    key: Key
    clock: float
    now: datetime


class _Handled(msgspec.Struct, frozen=True):
    """What became of a request: what is sent, and what was computed for it."""

    outgoing: Outgoing
    computed: Computed
    fault: int | None = None


class Simulator:
    """A stand-in for Hunter, to be spoken to over HTTP by clients and directly by tests."""

    def __init__(self, config: Config | None = None, clock: Clock | None = None) -> None:
        self._config = config or Config()
        self._base_clock = clock or SystemClock()
        self._address: str | None = None
        self.reset()

    # ------------------------------------------------------------------ administration

    def reset(self) -> None:
        """Forget everything and go back to the configuration of the start."""
        self.clock = ShiftedClock(self._base_clock)
        self._hunter = Hunter(self._config, self.clock.now())
        self._faults = FaultBoard()
        for fault in self._config.faults:
            self.add_fault(fault)
        self._limiters: defaultdict[tuple[str, bool], RateLimiter] = defaultdict(RateLimiter)
        self.clear_report()

    @property
    def base_url(self) -> str:
        """The URL that takes the place of https://api.hunter.io/v2."""
        return f"{self._served_at()}/v2"

    @property
    def admin_url(self) -> str:
        """The URL below which the admin API lies."""
        return f"{self._served_at()}/_simulator"

    def served_at(self, address: str | None) -> None:
        """Say where the server listens (scheme, host and port), or that it stopped."""
        self._address = address

    @property
    def settings(self) -> Settings:
        """The rules in force."""
        return self._hunter.settings

    def set_settings(self, settings: Settings) -> None:
        """Put other rules in force; nothing that was counted is forgotten."""
        self._hunter.settings = settings
        self._recorder.resize(settings.log_size)

    def set_domain(self, name: str, domain: Domain | int) -> str:
        """Set what is held for a domain, or just its number of addresses; return its ASCII name.

        Raises:
            ValueError: it is no domain name.
        """
        return self._hunter.set_domain(name, Domain(size=domain) if isinstance(domain, int) else domain)

    def remove_domain(self, name: str) -> bool:
        """Let a domain's name speak for itself again; tells whether anything was set."""
        return self._hunter.domains.pop(canonical(name) or name, None) is not None

    def domains(self) -> dict[str, Domain]:
        """Return what was set for domains."""
        return dict(self._hunter.domains)

    def truth(self, name: str, filters: Filters | None = None) -> tuple[Person, ...]:
        """Return the people whom a domain lists at this moment, as far as the filters let them through."""
        name = canonical(name) or name
        return search.found(people.truth(name, self._hunter.size(name)), filters or Filters())

    def set_key(self, key: str, plan: Plan | None = None) -> None:
        """Make a key valid; a plan begins its account anew, without one a known key keeps its account."""
        self._hunter.set_key(key, plan, self.clock.now())

    def remove_key(self, key: str) -> bool:
        """Make a key invalid; its account stays. Tells whether it was valid."""
        return self._hunter.remove_key(key)

    def keys(self) -> tuple[Key, ...]:
        """Return the valid keys with their plans."""
        return self._hunter.keys()

    def add_fault(self, fault: Fault) -> int:
        """Set a fault and return its number.

        Raises:
            ValueError: its domain is no domain name.
        """
        if fault.domain is not None:
            name = canonical(fault.domain)
            if name is None:
                raise ValueError("the fault's domain is not a domain name")
            fault = msgspec.structs.replace(fault, domain=name)
        return self._faults.add(fault)

    def remove_fault(self, number: int) -> bool:
        """Take a fault back; tells whether it was there."""
        return self._faults.remove(number)

    def clear_faults(self) -> None:
        """Take all faults back."""
        self._faults.clear()

    def faults(self) -> dict[int, Fault]:
        """Return all faults that are set, by their numbers."""
        return self._faults.all()

    def move_clock_to(self, moment: datetime) -> None:
        """Set the wall clock, which decides about billing periods; the rate windows don't move."""
        self.clock.move_to(moment)

    def advance_clock(self, by: timedelta) -> None:
        """Move the wall clock on."""
        self.clock.advance(by)

    def report(self, *, with_log: bool = True) -> Report:
        """Return everything that was recorded."""
        return self._recorder.report(with_log=with_log)

    def clear_report(self) -> None:
        """Forget what was recorded; accounts, windows and faults stay as they are."""
        self._recorder = Recorder(self.settings.log_size)

    # ------------------------------------------------------------------ answering

    def answer(self, incoming: Incoming) -> tuple[Outgoing, Entry]:
        """Answer one request at the moment of its arrival, and return its entry in the log as well."""
        arrived = self.clock.monotonic()
        now = self.clock.now()
        endpoint = ENDPOINTS.get(incoming.path)
        asked = self._hunter.asked(endpoint, incoming.parameters) if endpoint else None
        handled = self._handle(incoming, asked, arrived, now)
        page = _page_of(incoming) if endpoint == "domain-search" else None
        entry = Entry(
            at=now.astimezone(UTC).isoformat(timespec="milliseconds"),
            clock=arrived,
            method=incoming.method,
            path=incoming.path,
            key=None if incoming.key is None else fingerprint(incoming.key),
            key_place=incoming.key_place,
            user_agent=incoming.user_agent,
            status=handled.outgoing.status,
            outcome=handled.computed.outcome,
            domain=asked.domain if asked else None,
            offset=page.offset if page else None,
            limit=page.limit if page else None,
            addresses=handled.computed.addresses,
            credits=handled.computed.credits,
            repeat=handled.computed.repeat,
            fault=handled.fault,
        )
        self._recorder.add(entry, searched=handled.computed.searched)
        return handled.outgoing, entry

    def _handle(self, incoming: Incoming, asked: Asked | None, clock: float, now: datetime) -> _Handled:
        if client_is_refused(incoming.user_agent):
            return _plain(_CLIENT_REFUSED)
        if asked is None:
            return self._refused(problems.NOT_FOUND, "no_such_path")
        if incoming.method != "GET":
            return self._refused(problems.METHOD_NOT_ALLOWED, "invalid")
        key = self._hunter.known_key(incoming.key)
        if key is None:
            return self._refused(problems.NO_KEY, "unknown_key")
        return self._handle_arrival(_Arrival(incoming, asked, key, clock, now))

    def _handle_arrival(self, arrival: _Arrival) -> _Handled:
        if not self._admitted(arrival):
            return self._throttled()
        hit = self._faults.hit(arrival.asked)
        if hit is None:
            return _plain(self._compute(arrival))
        number, fault = hit
        spared = spoiling.comes_first(fault.action)
        computed = Computed(body=b"", outcome="fault") if spared else self._compute(arrival)
        # Retry-After as a date is read by the client's own clock, so the moved one is of no use here.
        outgoing = spoiling.without_answer(fault.action, self.settings.error_form, self._base_clock.now())
        if outgoing is None:
            outgoing = spoiling.spoiled(fault.action, computed)
        return _Handled(msgspec.structs.replace(outgoing, delay=fault.delay), computed, number)

    def _compute(self, arrival: _Arrival) -> Computed:
        return self._hunter.compute(arrival.asked.endpoint, arrival.key, arrival.incoming.parameters, arrival.now)

    def _admitted(self, arrival: _Arrival) -> bool:
        apart = self.settings.free_calls_apart and arrival.asked.endpoint != "domain-search"
        limiter = self._limiters[arrival.key.key, apart]
        return limiter.admit(arrival.clock, self.settings.rates, refused_count=self.settings.refused_count)

    def _refused(self, problem: Problem, outcome: Outcome) -> _Handled:
        return _plain(refusal(problem, self.settings, outcome))

    def _throttled(self) -> _Handled:
        handled = self._refused(problems.too_fast(self.settings.throttled_status), "throttled")
        seconds = self.settings.throttled_retry_after
        if seconds is None:
            return handled
        outgoing = msgspec.structs.replace(handled.outgoing, headers=(("Retry-After", str(seconds)),))
        return _Handled(outgoing, handled.computed)

    def _served_at(self) -> str:
        if self._address is None:
            raise RuntimeError("the simulator is not being served: use running_simulator()")
        return self._address


def _plain(computed: Computed) -> _Handled:
    return _Handled(Outgoing(status=computed.status, body=computed.body, content_type=computed.content_type), computed)


def _page_of(incoming: Incoming) -> search.Page | None:
    try:
        return search.read_page(incoming.parameters)
    except problems.RefusedError:
        return None
