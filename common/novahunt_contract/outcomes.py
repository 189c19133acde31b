"""How a domain's run can end, and the one table from each reason to its outcome and exit code."""

from enum import StrEnum
from typing import NamedTuple

from novahunt_contract.exitcodes import ExitCode


class Outcome(StrEnum):
    """What a DomainResult says of a domain's last run."""

    COLLECTED = "Collected"
    EMPTY = "Empty"
    TRUNCATED = "Truncated"
    FAILED = "Failed"
    PENDING = "Pending"
    """The run ended without an answer that stays; the domain goes on by itself."""


class Reason(StrEnum):
    """Why a run ended as it did: a DomainResult's `reason`."""

    COLLECTED = "Collected"
    NOTHING_FOUND = "NothingFound"
    MAX_RESULTS = "MaxResults"
    PLAN_LIMIT = "PlanLimit"
    DOMAIN_BUDGET = "DomainBudget"
    """The domain's share of the budget (`maxCreditsPerDomain`) is spent; what it bought is stored."""
    SUPPRESSED = "Suppressed"
    """A suppression list names the domain: Hunter is not asked, and nothing is stored."""
    DOMAIN_REFUSED = "DomainRefused"
    CLAIMED = "Claimed"
    """A person asked Hunter to be left alone (HTTP 451)."""
    PLAN_REDUCED = "PlanReduced"
    """The plan shows fewer addresses of the domain than are stored; those stay."""
    KEY_REFUSED = "KeyRefused"
    QUOTA_EXHAUSTED = "QuotaExhausted"
    BUDGET = "Budget"
    BAD_REQUEST = "BadRequest"
    SUPPRESSION_LIST = "SuppressionList"
    """A suppression list is missing or can't be understood: without it nothing may be stored."""
    THROTTLED = "Throttled"
    """Hunter asked to slow down for as long as the run is patient."""
    HUNTER_UNAVAILABLE = "HunterUnavailable"
    STORAGE = "Storage"
    INTERRUPTED = "Interrupted"
    USAGE = "Usage"


class Ending(NamedTuple):
    """What a reason means for the Job and for the domain."""

    exit_code: ExitCode
    outcome: Outcome


ENDINGS = {
    Reason.COLLECTED: Ending(ExitCode.DONE, Outcome.COLLECTED),
    Reason.NOTHING_FOUND: Ending(ExitCode.DONE, Outcome.EMPTY),
    Reason.MAX_RESULTS: Ending(ExitCode.DONE, Outcome.TRUNCATED),
    Reason.PLAN_LIMIT: Ending(ExitCode.DONE, Outcome.TRUNCATED),
    Reason.DOMAIN_BUDGET: Ending(ExitCode.DONE, Outcome.TRUNCATED),
    Reason.SUPPRESSED: Ending(ExitCode.DONE, Outcome.EMPTY),
    Reason.DOMAIN_REFUSED: Ending(ExitCode.DOMAIN_REFUSED, Outcome.FAILED),
    Reason.CLAIMED: Ending(ExitCode.DOMAIN_REFUSED, Outcome.FAILED),
    Reason.PLAN_REDUCED: Ending(ExitCode.QUOTA_EXHAUSTED, Outcome.FAILED),
    Reason.KEY_REFUSED: Ending(ExitCode.KEY_REFUSED, Outcome.PENDING),
    Reason.QUOTA_EXHAUSTED: Ending(ExitCode.QUOTA_EXHAUSTED, Outcome.PENDING),
    Reason.BUDGET: Ending(ExitCode.BUDGET_REFUSED, Outcome.PENDING),
    Reason.BAD_REQUEST: Ending(ExitCode.BAD_REQUEST, Outcome.PENDING),
    Reason.SUPPRESSION_LIST: Ending(ExitCode.BAD_REQUEST, Outcome.PENDING),
    Reason.THROTTLED: Ending(ExitCode.THROTTLED, Outcome.PENDING),
    Reason.HUNTER_UNAVAILABLE: Ending(ExitCode.HUNTER_UNAVAILABLE, Outcome.FAILED),
    Reason.STORAGE: Ending(ExitCode.STORAGE_FAILED, Outcome.FAILED),
    Reason.INTERRUPTED: Ending(ExitCode.INTERRUPTED, Outcome.FAILED),
    Reason.USAGE: Ending(ExitCode.USAGE, Outcome.PENDING),
}
