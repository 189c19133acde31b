"""What each key has spent in its billing period, and which requests it has already paid for."""

from dataclasses import dataclass, field

import msgspec

from hunter_simulator.plans import Period, Plan
from hunter_simulator.search import Filters, Page


class Request(msgspec.Struct, frozen=True):
    """What makes two searches of one key the same one: domain, filters, limit and offset."""

    domain: str
    filters: Filters
    page: Page


class Charge(msgspec.Struct, frozen=True):
    """The outcome of paying for one answer."""

    credits: int
    """What was taken, which is 0 for a free repeat."""
    repeat: bool
    """The same request was answered before in this period."""


@dataclass
class _Account:
    period: int
    used: float
    answered: set[Request] = field(default_factory=set)


class Ledger:
    """The accounts of all keys."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}

    def begin(self, key: str, plan: Plan, period: Period) -> None:
        """Begin a key's account, or begin it anew."""
        self._accounts[key] = _Account(period.number, plan.used_before)

    def used(self, key: str, period: Period) -> float:
        """Return the credits that a key has used in a period, together with those used elsewhere before."""
        return self._account(key, period).used

    def charge(
        self, key: str, plan: Plan, period: Period, request: Request, *, cost: int, repeats_cost: bool
    ) -> Charge | None:
        """Pay for an answer, or return None when the plan's credits don't suffice.

        A repeat in the same period is free unless `repeats_cost`. With nothing left even a search that would find
        nothing is refused, and so is an answer that costs more than what is left.
        """
        account = self._account(key, period)
        repeat = request in account.answered
        if repeat and not repeats_cost:
            return Charge(0, repeat=True)
        left = plan.credits - account.used
        if left <= 0 or cost > left:
            return None
        account.used += cost
        account.answered.add(request)
        return Charge(cost, repeat=repeat)

    def _account(self, key: str, period: Period) -> _Account:
        account = self._accounts.get(key)
        if account is None or account.period != period.number:
            account = _Account(period.number, 0)
            self._accounts[key] = account
        return account
