"""Asks a simulator without a network, by a clock that stands still until it is moved."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from hunter_simulator import DEFAULT_KEY, Config, Simulator
from hunter_simulator.exchange import Incoming, Outgoing
from hunter_simulator.report import Entry

AGENT = "novahunt-tests/1"


@dataclass
class ManualClock:
    seconds: float = 1000.0
    wall: datetime = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.wall


class Answer(msgspec.Struct):
    outgoing: Outgoing
    entry: Entry

    @property
    def status(self) -> int:
        return self.outgoing.status

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.outgoing.body)

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, identifier and words of today's error form."""
        (error,) = self.body["errors"]
        assert error["code"] == self.status
        return self.status, error["id"], error["details"]

    @property
    def error_id(self) -> tuple[int, str]:
        return self.error[:2]

    @property
    def emails(self) -> list[str]:
        assert self.status == 200, self.outgoing.body
        return [email["value"] for email in self.body["data"]["emails"]]

    @property
    def results(self) -> int:
        return int(self.body["meta"]["results"])

    @property
    def credits(self) -> int:
        return self.entry.credits


@dataclass
class Asking:
    config: Config = field(default_factory=Config)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.simulator = Simulator(self.config, self.clock)

    def get(self, path: str, *, key: str | None = DEFAULT_KEY, agent: str = AGENT, **parameters: str | int) -> Answer:
        incoming = Incoming(
            path=f"/v2/{path}",
            parameters={name: str(value) for name, value in parameters.items()},
            key=key,
            key_place="none" if key is None else "header",
            user_agent=agent,
        )
        return Answer(*self.simulator.answer(incoming))

    def search(self, domain: str, *, key: str = DEFAULT_KEY, **parameters: str | int) -> Answer:
        return self.get("domain-search", key=key, agent=AGENT, domain=domain, **parameters)

    def all_pages(self, domain: str, *, limit: int = 100, filters: dict[str, str] | None = None) -> list[str]:
        """Collect every page, stopping at the first empty one."""
        found: list[str] = []
        for offset in range(0, 10_001, limit):
            emails = self.search(domain, key=DEFAULT_KEY, limit=limit, offset=offset, **(filters or {})).emails
            if not emails:
                break
            found += emails
        return found
