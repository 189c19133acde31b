"""The report: what was asked, answered and spent, so that a test can hold the clients to it."""

from collections import Counter, deque
from hashlib import sha256
from typing import Literal

import msgspec

from hunter_simulator.windows import MINUTE, SECOND, SlidingWindow

KeyPlace = Literal["header", "bearer", "query", "none"]
"""`query` wherever the URL tells a key, even beside a header."""

Outcome = Literal[
    "answered", "refused_client", "unknown_key", "throttled", "invalid", "plan_cap", "used_up", "restricted", "fault",
    "no_such_path",
]  # fmt: skip

MAX_NAMES = 100_000
"""Domains, paths and user agents that are told apart; later ones are counted together as "…"."""


def fingerprint(key: str) -> str:
    """Return 12 hexadecimal digits that stand for a key in logs and reports."""
    return sha256(f"simulator/{key}".encode()).hexdigest()[:12]


class Entry(msgspec.Struct, frozen=True):
    """One request in the log."""

    at: str
    """The simulator's wall clock on arrival, ISO 8601, UTC."""
    clock: float
    """The same moment in seconds of a clock that never steps."""
    method: str
    path: str
    key: str | None
    """The key's fingerprint; None without a key."""
    key_place: KeyPlace
    user_agent: str
    status: int
    """0: the connection was reset."""
    outcome: Outcome
    domain: str | None = None
    """In ASCII form where it has one."""
    offset: int | None = None
    limit: int | None = None
    addresses: int = 0
    """Addresses in the computed answer."""
    credits: int = 0
    repeat: bool = False
    """The same search was answered before in this billing period."""
    fault: int | None = None
    """The number of the fault that happened to it."""


class KeyReport(msgspec.Struct, frozen=True):
    """What one key did."""

    requests: int
    credits: int
    throttled: int
    in_query: int
    """Requests that told the key in their URL."""
    repeats_free: int
    repeats_charged: int
    most_in_a_second: int
    """The most arrivals in any window of 1 s, refused ones included."""
    most_in_a_minute: int


class DomainReport(msgspec.Struct, frozen=True):
    """What was asked about one domain."""

    requests: int
    credits: int
    addresses: int
    """Addresses returned, repeats included."""
    pages: tuple[tuple[int, int], ...]
    """The distinct (offset, limit) of the searches that were carried out, in order."""


class Report(msgspec.Struct, frozen=True):
    """Everything since the start, or since the report was cleared."""

    requests: int
    credits: int
    throttled: int
    refused_clients: int
    keys_in_query: int
    repeats_free: int
    repeats_charged: int
    pages_served: int
    """Distinct pages of all domains."""
    keys: dict[str, KeyReport]
    """By fingerprint; unknown keys too."""
    domains: dict[str, DomainReport]
    paths: dict[str, int]
    statuses: dict[int, int]
    user_agents: dict[str, int]
    refused_user_agents: dict[str, int]
    faults: dict[int, int]
    """How often each fault happened."""
    log: tuple[Entry, ...]
    log_dropped: int
    """Older requests that the log no longer holds."""

    def of_key(self, key: str) -> KeyReport:
        """Return what a key did, by the key itself; all zero where it was never seen."""
        return self.keys.get(fingerprint(key)) or KeyReport(0, 0, 0, 0, 0, 0, 0, 0)

    def of_domain(self, domain: str) -> DomainReport:
        """Return what was asked about a domain; all zero where it was never asked for."""
        return self.domains.get(domain) or DomainReport(0, 0, 0, ())


class _KeyTally:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.second = SlidingWindow(SECOND)
        self.minute = SlidingWindow(MINUTE)

    def add(self, entry: Entry) -> None:
        self.second.add(entry.clock)
        self.minute.add(entry.clock)
        _count(self.counts, entry)

    def report(self) -> KeyReport:
        counts = self.counts
        return KeyReport(
            requests=counts["requests"],
            credits=counts["credits"],
            throttled=counts["throttled"],
            in_query=counts["in_query"],
            repeats_free=counts["repeats_free"],
            repeats_charged=counts["repeats_charged"],
            most_in_a_second=self.second.peak,
            most_in_a_minute=self.minute.peak,
        )


class _DomainTally:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.pages: set[tuple[int, int]] = set()

    def add(self, entry: Entry) -> None:
        _count(self.counts, entry)

    def report(self) -> DomainReport:
        counts = self.counts
        return DomainReport(counts["requests"], counts["credits"], counts["addresses"], tuple(sorted(self.pages)))


class Recorder:
    """Collects the entries; the counts are exact for ever, only the log is bounded."""

    def __init__(self, log_size: int) -> None:
        self._log: deque[Entry] = deque(maxlen=log_size)
        self._counts: Counter[str] = Counter()
        self._keys: dict[str, _KeyTally] = {}
        self._domains: dict[str, _DomainTally] = {}
        self._paths: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._agents: Counter[str] = Counter()
        self._refused_agents: Counter[str] = Counter()
        self._faults: Counter[int] = Counter()

    def resize(self, log_size: int) -> None:
        """Keep at most so many entries from now on."""
        self._log = deque(self._log, maxlen=log_size)

    def add(self, entry: Entry, *, searched: bool) -> None:
        """Record one request; `searched` says that a page was computed, even if its answer was lost then."""
        self._log.append(entry)
        _count(self._counts, entry)
        self._statuses[entry.status] += 1
        _count_name(self._paths, entry.path)
        _count_name(self._agents, entry.user_agent)
        if entry.outcome == "refused_client":
            _count_name(self._refused_agents, entry.user_agent)
        if entry.fault is not None:
            self._faults[entry.fault] += 1
        if entry.key is not None:
            self._keys.setdefault(_bounded(self._keys, entry.key), _KeyTally()).add(entry)
        if entry.domain is not None:
            tally = self._domains.setdefault(_bounded(self._domains, entry.domain), _DomainTally())
            tally.add(entry)
            if searched and entry.offset is not None and entry.limit is not None:
                tally.pages.add((entry.offset, entry.limit))

    def report(self, *, with_log: bool = True) -> Report:
        """Return everything as it stands now."""
        counts = self._counts
        domains = {name: tally.report() for name, tally in self._domains.items()}
        return Report(
            requests=counts["requests"],
            credits=counts["credits"],
            throttled=counts["throttled"],
            refused_clients=counts["refused_client"],
            keys_in_query=counts["in_query"],
            repeats_free=counts["repeats_free"],
            repeats_charged=counts["repeats_charged"],
            pages_served=sum(len(domain.pages) for domain in domains.values()),
            keys={name: tally.report() for name, tally in self._keys.items()},
            domains=domains,
            paths=dict(self._paths),
            statuses=dict(self._statuses),
            user_agents=dict(self._agents),
            refused_user_agents=dict(self._refused_agents),
            faults=dict(self._faults),
            log=tuple(self._log) if with_log else (),
            log_dropped=counts["requests"] - len(self._log),
        )


def _count(counts: Counter[str], entry: Entry) -> None:
    counts["requests"] += 1
    counts["credits"] += entry.credits
    counts["addresses"] += entry.addresses
    counts[entry.outcome] += 1
    counts["in_query"] += entry.key_place == "query"
    if entry.repeat:
        counts["repeats_charged" if entry.credits else "repeats_free"] += 1


def _count_name(counts: Counter[str], name: str) -> None:
    counts[_bounded(counts, name)] += 1


def _bounded(names: Counter[str] | dict[str, _KeyTally] | dict[str, _DomainTally], name: str) -> str:
    return name if name in names or len(names) < MAX_NAMES else "…"
