"""The collector's exit codes, which the Job's failure policy and the operator's settling read."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a collector process ended. 2 and 10 to 15 end the Job at once; 20 and 21 count as an attempt."""

    DONE = 0
    """Collected, empty or truncated."""
    INTERRUPTED = 1
    """Stopped by a signal, or a defect of ours: Kubernetes runs it again."""
    USAGE = 2
    """Called wrongly: an argument or an environment variable can't be used."""
    DOMAIN_REFUSED = 10
    KEY_REFUSED = 11
    QUOTA_EXHAUSTED = 12
    """The plan is used up, or shows fewer addresses of the domain than are stored."""
    BUDGET_REFUSED = 13
    BAD_REQUEST = 14
    THROTTLED = 15
    """Hunter asked to slow down for as long as the run is patient: no attempt may be spent on that."""
    HUNTER_UNAVAILABLE = 20
    STORAGE_FAILED = 21


PERMANENT = (
    ExitCode.USAGE,
    ExitCode.DOMAIN_REFUSED,
    ExitCode.KEY_REFUSED,
    ExitCode.QUOTA_EXHAUSTED,
    ExitCode.BUDGET_REFUSED,
    ExitCode.BAD_REQUEST,
    ExitCode.THROTTLED,
)
"""Codes after which the Job makes no further attempt: it could not end differently, or must not count as one."""
