"""The permit protocol's book-keeping: what to say to the intake next. Pure: no call is made here.

One call a page reports how the last permit ended and asks for the next (`novahunt_contract.intake`).
"""

from collections import deque

from novahunt_contract.intake import PERMIT_SECONDS, Answered, PermitAnswer, PermitCall, Progress

MINUTE_SECONDS = 60.0
"""Hunter's longer window."""


class Permits:
    """The one permit that a collector holds at a time, and what it still has to report of the last one."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        self._held: str | None = None
        self._held_since = 0.0
        self._unreported: Answered | None = None
        self._alone: deque[float] = deque()
        """When requests were sent without a permit that the intake has not heard of."""

    def call(
        self, progress: Progress | None, *, wanted: bool, most: int = 0, spent: int = 0, stopping: bool = False
    ) -> PermitCall:
        """Return what to say now; a permit that is still held is not asked for twice but given back.

        Args:
            progress: How far the domain is.
            wanted: Whether a permit is asked for.
            most: Credits that the request can cost.
            spent: Credits that this process has spent on its domain.
            stopping: Whether the process leaves its domain unfinished.
        """
        self.give_back()
        return PermitCall(
            fingerprint=self._fingerprint,
            wanted=wanted,
            answered=self._unreported,
            alone=len(self._alone),
            progress=progress,
            credits=most,
            spent=spent,
            stopping=stopping,
        )

    def heard(self, call: PermitCall, answer: PermitAnswer, now: float) -> None:
        """Take an answer in: what the call reported is known now, and a permit counts from now."""
        if self._unreported is call.answered:
            self._unreported = None
        self._alone.clear()
        self._held = answer.permit
        self._held_since = now

    def usable(self, now: float) -> bool:
        """Tell whether a permit is held that may still be used."""
        return self._held is not None and now - self._held_since <= PERMIT_SECONDS

    def give_back(self) -> None:
        """Note that the permit held, if any, is not used."""
        if self._held is not None:
            self._unreported = Answered(permit=self._held, unused=True)
            self._held = None

    def used(self, *, throttled: bool = False, retry_after: float | None = None) -> None:
        """Note that the permit held, if any, was used, and how Hunter took it."""
        if self._held is not None:
            self._unreported = Answered(permit=self._held, throttled=throttled, retry_after_seconds=retry_after)
            self._held = None

    def sent_alone(self, now: float) -> None:
        """Note that a request is sent without a permit; what Hunter does not count any more is forgotten."""
        while self._alone and self._alone[0] <= now - MINUTE_SECONDS:
            self._alone.popleft()
        self._alone.append(now)

    @property
    def owes_report(self) -> bool:
        """True while the intake doesn't know how the last permit ended."""
        return self._held is not None or self._unreported is not None
