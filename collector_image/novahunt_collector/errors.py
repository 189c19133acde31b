"""Every way in which a collector's run can fail: one type each, and the one table to the reason it ends with."""

from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import ENDINGS, Reason


class CollectorError(Exception):
    """A run can't go on; the text is one sentence for people, without any address, key or query string."""


class UsageError(CollectorError):
    """An argument or environment variable can't be used; the text says what, where and what to do."""


class DomainRefusedError(CollectorError):
    """Hunter has no such domain, or its owner asked Hunter to stop."""


class ClaimedError(CollectorError):
    """A person asked Hunter to be left alone; Hunter does not say which address is meant."""


class KeyRefusedError(CollectorError):
    """Hunter does not accept the key, or the key's account has no subscription."""


class QuotaUsedUpError(CollectorError):
    """The plan's searches or credits are used up until its reset date."""


class BadRequestError(CollectorError):
    """Hunter refuses the request itself: asking again would not change that."""


class ClientRefusedError(CollectorError):
    """Something in front of Hunter refuses this client, or sends it elsewhere: a matter of configuration."""


class SuppressionListError(CollectorError):
    """A suppression list is missing or can't be understood: without it nothing may be stored."""


class PlanLimitError(CollectorError):
    """The plan shows only the first addresses of a domain. Paging asks for fewer; it does not fail."""

    def __init__(self, text: str, shown: int) -> None:
        super().__init__(text)
        self.shown = shown
        """Addresses of one domain that the plan shows."""


class PlanReducedError(CollectorError):
    """The plan shows fewer addresses of the domain than are stored: those are worth more than what it gives now."""


class BudgetUsedUpError(CollectorError):
    """The next request could cost more than the budget has left."""

    def __init__(self, text: str, left: int = 0) -> None:
        super().__init__(text)
        self.left = left
        """Credits that this domain may still spend on a smaller page; 0: none, the run ends."""


class DomainBudgetUsedUpError(CollectorError):
    """The next request could cost more than the domain's share of the budget has left.

    Paging asks for a smaller page, or finishes the domain as truncated; it ends a run only where nothing was collected.
    """

    def __init__(self, text: str, left: int) -> None:
        super().__init__(text)
        self.left = left
        """Credits that this domain may still spend."""


class RetryableError(CollectorError):
    """May be over when asked again."""

    may_have_cost = False
    """True: the request was sent and its answer lost, so it may have been charged."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        """Seconds that the other side asked to wait, if it said so."""


class TooFastError(RetryableError):
    """Hunter asks to slow down. Waiting helps, however long it takes."""


class UnclearRefusalError(RetryableError):
    """A 429 that does not tell whether it means pace or plan: Hunter's account page tells."""


class UnavailableError(RetryableError):
    """Hunter did not answer, or answered with what is no answer."""


class AnswerLostError(UnavailableError):
    """Hunter may have answered, and the answer did not arrive whole: it may have been charged."""

    may_have_cost = True


class StorageFailedError(CollectorError):
    """The document can't be read or made durable; the text names the place and the remedy."""

    own = False
    """True: the place may well take the documents of other domains."""
    hangs = False
    """True: it did not answer in time, and would hold the next call as long."""


class IntakeAwayError(StorageFailedError):
    """The intake could not be used for all of the time that it is waited for."""


class StorageBusyError(RetryableError):
    """The intake did not take or give the document now."""


class IntakeRefusedError(CollectorError):
    """The operator's intake does not accept this collector."""


class StoppedError(CollectorError):
    """A signal asked the process to end."""


class OutputClosedError(CollectorError):
    """Whoever read standard output has gone, as `| head` does: nobody is there for what would follow."""


REASONS: dict[type[CollectorError], Reason] = {
    UsageError: Reason.USAGE,
    DomainRefusedError: Reason.DOMAIN_REFUSED,
    ClaimedError: Reason.CLAIMED,
    KeyRefusedError: Reason.KEY_REFUSED,
    QuotaUsedUpError: Reason.QUOTA_EXHAUSTED,
    BudgetUsedUpError: Reason.BUDGET,
    DomainBudgetUsedUpError: Reason.BUDGET,
    BadRequestError: Reason.BAD_REQUEST,
    ClientRefusedError: Reason.BAD_REQUEST,
    SuppressionListError: Reason.SUPPRESSION_LIST,
    PlanLimitError: Reason.PLAN_LIMIT,
    PlanReducedError: Reason.PLAN_REDUCED,
    # These four leave a run only when all patience is spent.
    TooFastError: Reason.THROTTLED,
    UnclearRefusalError: Reason.THROTTLED,
    UnavailableError: Reason.HUNTER_UNAVAILABLE,
    AnswerLostError: Reason.HUNTER_UNAVAILABLE,
    StorageFailedError: Reason.STORAGE,
    IntakeAwayError: Reason.STORAGE,
    StorageBusyError: Reason.STORAGE,
    IntakeRefusedError: Reason.INTERRUPTED,
    StoppedError: Reason.INTERRUPTED,
    OutputClosedError: Reason.INTERRUPTED,
}
"""One row a type; what is not here is a defect of ours."""


def reason_of(error: BaseException) -> Reason:
    """Return why a run ended that failed with this error; anything unknown is an interruption."""
    return REASONS.get(type(error), Reason.INTERRUPTED) if isinstance(error, CollectorError) else Reason.INTERRUPTED


def exit_code_of(error: BaseException) -> ExitCode:
    """Return the process's exit code for this error."""
    return ENDINGS[reason_of(error)].exit_code
